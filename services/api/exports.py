"""The routes that give out everything of a period, as it is read: JSON Lines, CSV or Parquet. They decide nothing."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from schemas.wire import Problem
from services.api import formats, questions
from services.api.formats import Columns, Format
from services.api.questions import Question
from services.api.routes import FAULTS, With
from services.store import exports
from services.store.pool import Row, Store

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows, as they are read. JSON Lines: one object a line, the fields of a row named alike.",
        "content": {media.partition(";")[0]: {} for media in formats.MEDIA.values()},
    },
    501: {"model": Problem, "description": "This installation cannot write Parquet; JSON Lines and CSV it can."},
}
router = APIRouter(prefix="/api/v1/exports", tags=["exports"], responses={**FAULTS, **_ANSWERS})
Form = Annotated[Format, questions.about("`jsonl` (lossless), `csv`, or `parquet` (needs the extra of that name).")]
POSTS: Columns = {
    "id": "text", "source": "text", "text": "text", "published_at": "time", "lang": "text", "author": "text",
    "url": "text", "time_quality": "text", "received_at": "time", "post_id": "int", "frames": "texts",
    "uncertain": "texts",
}  # fmt: skip
SCORES: Columns = {
    "id": "text", "source": "text", "published_at": "time", "post_id": "int", "codebook": "text", "version": "int",
    "model": "text", "frames": "texts", "uncertain": "texts", "scores": "json",
}  # fmt: skip
TRENDS: Columns = {
    "codebook": "text", "version": "int", "frame": "text", "source": "text", "lang": "text", "step_seconds": "int",
    "at": "time", "posts": "int", "units": "int", "authors": "int", "share": "float", "coverage": "float",
    "expected": "float", "upper": "float", "state": "text",
}  # fmt: skip
ALERTS: Columns = {
    "alert_id": "text", "kind": "text", "rule": "text", "codebook": "text", "version": "int", "frame": "text",
    "state": "text", "onset": "time", "last_bucket": "time", "raised_at": "time", "resolved_at": "time",
    "acked_at": "time", "reason": "text", "evidence": "json",
}  # fmt: skip


class ExportQuestion(Question):
    """Which rows, in which format."""

    format: Form = "jsonl"
    since: questions.Since = None
    until: questions.Until = None
    source: questions.Source = None
    lang: questions.Lang = None
    codebook: questions.Codebook = None
    version: questions.Version = None


class PostsQuestion(ExportQuestion):
    """Which posts."""

    frame: questions.Frame = None
    stance: questions.OfStance = None


class TrendsQuestion(ExportQuestion):
    """Which trends."""

    frame: questions.Frame = None
    step: questions.Step = "1h"
    stance: questions.OfStance = None


class AlertsQuestion(Question):
    """Which alerts."""

    format: Form = "jsonl"
    since: questions.Since = None
    until: questions.Until = None
    frame: questions.Frame = None


@router.get("/posts", summary="Posts with the frames they carry", response_class=StreamingResponse)
def posts(by: With, asked: Annotated[PostsQuestion, Query()]) -> StreamingResponse:
    """A line a post, in order of time: `id`, `text`, `published_at`, `lang`, `author` (pseudonym), `url`, `source`,
    `frames` (ids carried), `uncertain`. Default period: 14 days. `framewatch codebook evaluate` reads it.
    """
    found = exports.posts(by.store, by.now(), **_narrow(asked))
    return _given("posts", asked.format, _stood(by.store, POSTS), _named(found))


@router.get("/scores", summary="What the model said of each post", response_class=StreamingResponse)
def scores(by: With, asked: Annotated[ExportQuestion, Query()]) -> StreamingResponse:
    """A line a post, in order of time: `scores` (probability by frame, 0 to 1), `frames`, `model`, `codebook`."""
    found = exports.scores(by.store, by.now(), **_narrow(asked))
    return _given("scores", asked.format, _stood(by.store, SCORES), _named(found))


@router.get("/trends", summary="Every step of every frame", response_class=StreamingResponse)
def trends(by: With, asked: Annotated[TrendsQuestion, Query()]) -> StreamingResponse:
    """A line a frame and step, fields as in /trends; where nothing was heard, counts are null."""
    found = exports.trends(by.store, by.now(), step=asked.step, **_narrow(asked))
    return _given("trends", asked.format, _stood(by.store, TRENDS), found)


@router.get("/alerts", summary="Alerts with their evidence", response_class=StreamingResponse)
def alerts(by: With, asked: Annotated[AlertsQuestion, Query()]) -> StreamingResponse:
    """A line an alert, in the order they were raised. Default period: everything."""
    found = exports.alerts(by.store, by.now(), **_narrow(asked))
    return _given("alerts", asked.format, ALERTS, found)


def _stood(store: Store, columns: Columns) -> Columns:
    """The same and how posts stand to their frames (experimental), where stance is read; else nothing is told of it."""
    return {**columns, "stances": "json"} if exports.any_stance(store) else columns


def _narrow(asked: Question) -> dict[str, Any]:
    return {k: v for k, v in dict(asked).items() if k not in ("format", "step") and v is not None}


def _named(batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    return ([{**row, "id": row["native_id"]} for row in batch] for batch in batches)


def _given(name: str, form: Format, columns: Columns, batches: Iterator[list[Row]]) -> StreamingResponse:
    headers: Mapping[str, str] = {"Content-Disposition": f'attachment; filename="framewatch-{name}.{form}"'}
    chunks = formats.write(form, columns, _begun(batches))
    return StreamingResponse(chunks, media_type=formats.MEDIA[form], headers=dict(headers))


def _begun(batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The same batches, the first read already: what is wrong is then told with a status, not by breaking off."""
    first = next(batches, None)

    def all_of_them() -> Iterator[list[Row]]:
        if first is not None:
            yield first
            yield from batches

    return all_of_them()
