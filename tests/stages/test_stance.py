"""Stance from rows to readers: read once a text, of every carrier, by a named reader; and where it is off, nothing."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from schemas.errors import PermanentError
from schemas.stance import Stance
from services.analysis import alerting
from services.analysis.text import text_for_encoder
from services.channels.rendering import render_text
from services.classifier import StanceReader, learn_stance, lesson_name
from services.exporter.collector import read_figures
from services.exporter.metrics import describe
from services.serve import create_app
from services.settings import Settings
from services.store import listings, over_time, posts, readings, stances, trends
from tests.stages.conftest import World, drift, page, post
from tests.stages.test_detect import T0, flow, hear, history, replayed
from tests.stages.test_rescore import CHANGED, settle
from tests.stages.test_telling import save
from workers import stances as part
from workers.runtime import Reading
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.rollup import rollup

__all__ = ["replayed"]
WEEK = timedelta(weeks=1)
SIGNS: dict[str, Stance] = {"fake": "disputes", "says": "reports", "hm": "unclear"}


@dataclass
class FakeReader:
    """Goes by one word; counts what it was asked."""

    texts: list[str] = field(default_factory=list)

    def stances(self, vectors: np.ndarray, texts: Sequence[str]) -> list[Stance]:
        assert vectors.shape == (len(texts), 2)
        self.texts += texts
        return [next((s for word, s in SIGNS.items() if word in text), "promotes") for text in texts]

    def to_bytes(self) -> bytes:
        return b"reader"


def turned_on(world: World, lesson: str = "lesson 1") -> tuple[World, FakeReader]:
    reader = FakeReader()
    reading = Reading(lesson, lambda encoder: reader, lambda body: reader)
    return replace(world, rt=replace(world.rt, reading=reading, readers={})), reader


def gather(world: World, *told: Any) -> None:
    world.due()
    world.source.pages = [page(*told)]
    collect(world.rt)
    classify(world.rt)
    rollup(world.rt)


@pytest.fixture
def ready(world: World) -> World:
    world.apply()
    world.add_feed()
    return world


@pytest.fixture
def on(ready: World) -> tuple[World, FakeReader]:
    return turned_on(ready)


def read(world: World) -> dict[str, str | None]:
    found = world.rows(
        "select k.native_id, c.frame, c.stance from carried c join post_keys k using (post_id) order by 1, 2"
    )
    return {f"{r['native_id']} {r['frame'].split('-')[0]}": r["stance"] for r in found}


def trend(world: World, **asked: Any) -> Any:
    with world.store.transaction() as tx:
        return over_time.read_trend(tx, world.clock(), **{"frame": "staged-theatrics", "step": "1d", **asked})


def posts_of(world: World, **asked: Any) -> list[str]:
    with world.store.transaction() as tx:
        found = listings.read_posts(tx, world.clock(), **{"frame": "staged-theatrics", "limit": 50, **asked})
    return sorted(p.native_id for p in found.posts)


FOUR = (post(1), post(2, "fake theatre"), post(3, "she says theatre"), post(4, "theatre hm"))


def test_off_by_default_nothing_is_computed_and_nothing_is_shown(ready: World) -> None:
    gather(ready, *FOUR)
    assert ready.rt.reading is None
    assert set(read(ready).values()) == {None}
    assert ready.one("select count(*) from stance_readers") == 0
    assert {p.stances for p in trend(ready).points} == {None}
    with ready.store.transaction() as tx:
        page = listings.read_posts(tx, ready.clock(), limit=50)
        now = ready.clock()
        about = {"version_id": 1, "frame": "staged-theatrics", "since": now - timedelta(days=1), "until": now}
        assert stances.stance_counts(tx, **about) == {}
    assert [p.stances for p in page.posts] == [{}] * 4


def test_every_carrier_has_a_stance_and_names_its_reader(on: tuple[World, FakeReader]) -> None:
    world, reader = on
    gather(world, *FOUR, post(5, "rain"), post(6, "theatre https://example.org/x"))
    assert read(world) == {
        "1 staged": "promotes", "2 staged": "disputes", "3 staged": "reports", "4 staged": "unclear",
        "6 staged": "promotes",
    }  # fmt: skip
    assert sorted(reader.texts) == ["fake theatre", "she says theatre", "theatre", "theatre hm"]
    assert world.rows(
        "select distinct m.name, r.lesson from carried join stance_readers r using (reader_id) join models m using (model_id)"
    ) == [{"name": "words@1", "lesson": "lesson 1"}]
    assert drift(world) == {}


def test_of_several_frames_it_is_not_known_which_one_is_disputed(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, post(1, "fake theatre washington"), post(2, "theatre washington"))
    assert read(world) == {
        "1 russia": "unclear", "1 staged": "unclear", "2 russia": "promotes", "2 staged": "promotes",
    }  # fmt: skip


def test_what_was_stored_before_is_read_from_rows_alone(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gather(ready, *FOUR)
    embedded = len(ready.encoder.texts)
    monkeypatch.setattr(part, "CARRIERS", 3)
    world, _ = turned_on(ready)
    assert classify(world.rt).again, "more of them wait"
    assert sorted(str(s) for s in read(world).values()) == ["None", "disputes", "reports", "unclear"]
    assert not classify(world.rt).again
    assert None not in read(world).values()
    assert len(world.encoder.texts) == embedded, "a stored text goes through the transformer once"


def test_a_version_scored_again_from_what_is_stored_is_read_too(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, *FOUR)
    embedded = len(world.encoder.texts)
    world.apply(CHANGED)
    settle(world)
    found = world.rows("select version_id, count(stance)::int as n from carried group by 1 order by 1")
    assert found == [{"version_id": 1, "n": 4}, {"version_id": 2, "n": 4}]
    assert len(world.encoder.texts) == embedded
    assert drift(world) == {}


def test_an_edited_post_is_read_again(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, post(1))
    gather(world, post(1, "fake theatre"))
    assert read(world) == {"1 staged": "disputes"}
    gather(world, post(1, "fake washington"))
    assert read(world) == {"1 russia": "disputes"}
    assert drift(world) == {}


def test_two_workers_that_read_the_same_settle_it_once(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, post(1))
    key = world.rows("select version_id, frame, published_at, post_id, reader_id from carried")[0]
    reader_id = key.pop("reader_id")
    with world.store.transaction() as tx:
        assert stances.settle_stances(tx, reader_id, [{**key, "stance": "disputes"}]) == 0
    assert read(world) == {"1 staged": "promotes"}


def test_the_first_reader_learned_is_everybodys(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, post(1))

    def never(_: Any) -> Any:
        raise AssertionError("it was learned already")

    reading = replace(world.rt.reading, learn=never)  # type: ignore[type-var]
    gather(replace(world, rt=replace(world.rt, reading=reading, readers={})), post(2))
    assert read(world) == {"1 staged": "promotes", "2 staged": "promotes"}
    assert world.one("select count(*) from stance_readers") == 1


def test_a_trend_is_split_and_narrowed_by_stance(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, *FOUR, post(5), post(6, "rain"))
    (split,) = [p.stances for p in trend(world).points if p.stances]
    assert split == {"promotes": 2, "disputes": 1, "reports": 1, "unclear": 1}
    told = trend(world, stance="promotes")
    (point,) = [p for p in told.points if p.posts]
    assert (told.stance, point.posts, point.authors, point.units, point.share) == ("promotes", 2, 2, 1, 2 / 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trends, "VOICES", 1)
        (many,) = [p for p in trend(world, stance="promotes").points if p.posts]
    assert (many.posts, many.units, many.authors) == (2, None, None)
    assert posts_of(world, stance="disputes") == ["2"]
    assert posts_of(world) == ["1", "2", "3", "4", "5"]
    with pytest.raises(PermanentError, match="name one beside stance"):
        trend(world, frame="*", stance="promotes")
    with pytest.raises(PermanentError, match="name one beside stance"):
        posts_of(world, frame=None, stance="promotes")


def split_by(world: World, step: timedelta, *, kept: bool) -> dict[Any, dict[Stance, int]]:
    about = {"version_id": 1, "step": step, "source": None, "lang": None}
    week = readings.floor(world.clock(), WEEK)
    about |= {"since": week - 5 * WEEK, "until": week + 5 * WEEK}
    frames = ["russia-blames-us", "staged-theatrics"]
    asked = stances.stance_trends if kept else stances.stance_trends_of_carriers
    with world.store.transaction() as tx:
        found = asked(tx, frames, **about)
        alone = {
            (frame, at): of for frame in frames for at, of in stances.stance_trend(tx, frame=frame, **about).items()
        }
    assert alone == found
    return found


def test_what_is_kept_of_a_trend_is_what_its_carriers_say(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    steps = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), WEEK)
    for change in (
        lambda: gather(world, *FOUR, post(5, "fake washington")),
        lambda: gather(world, post(1, "fake theatre"), post(2, "she says theatre washington")),
        lambda: erase(world, "3", "5"),
        lambda: gather(world, post(6, "theatre hm")),
    ):
        change()
        for step in steps:
            kept = split_by(world, step, kept=True)
            assert kept == split_by(world, step, kept=False)
            assert kept
        assert drift(world) == {}


def erase(world: World, *native_ids: str) -> None:
    with world.store.transaction() as tx:
        posts.delete_posts(tx, "rss", native_ids, world.clock())
    rollup(world.rt)


def test_verify_sees_counts_by_stance_that_are_not_what_carriers_say(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, *FOUR)
    with world.store.transaction() as tx:
        tx.execute("update stance_rows set posts[1] = posts[1] + 1 where step = '1d'")
    # The day as it is by source and by language, by both, and whole.
    assert drift(world) == {"stances": 4}


def test_what_waits_to_be_folded_is_no_drift(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, *FOUR)
    with world.store.transaction() as tx:
        tx.execute("update carried set stance = 'disputes' where stance = 'promotes'")
    assert drift(world) == {}
    assert world.one("select sum(posts)::int from stance_deltas") == 0
    assert not rollup(world.rt).again
    assert world.one("select count(*) from stance_deltas") == 0
    assert drift(world) == {}
    (split,) = [p.stances for p in trend(world).points if p.stances]
    assert split == {"disputes": 2, "reports": 1, "unclear": 1}


@pytest.mark.parametrize(
    ("word", "wanted", "alerts"), [("fake ", 0.5, 0), ("", 0.5, 1), ("fake ", 0.0, 1), ("hm ", 0.5, 1)]
)
def test_a_rule_can_ask_how_many_promote(replayed: World, word: str, wanted: float, alerts: int) -> None:
    world, _ = turned_on(replayed)
    save(world, "burst", min_promotes=wanted)
    told = [replace(p, text=f"{word}{p.text}") for p in history()]
    hear(world, told, T0 + 222 * timedelta(hours=1))
    flow(world)
    assert world.one("select count(*) from alerts where kind = 'burst'") == alerts
    if alerts:
        split = world.one("select evidence -> 'stances' from alerts")
        assert split == {SIGNS.get(word.strip(), "promotes"): {"posts": 10, "units": 10}}
    assert drift(world) == {}


def test_without_stance_a_rule_that_asks_for_it_still_tells(replayed: World) -> None:
    save(replayed, "burst", min_promotes=0.9)
    hear(replayed, history(), T0 + 222 * timedelta(hours=1))
    flow(replayed)
    assert replayed.one("select evidence -> 'stances' from alerts where kind = 'burst'") == {}


def test_support_counts_those_of_known_stance() -> None:
    rule = alerting.Rule(min_promotes=0.6, one_source=True)
    for promotes, disputes, enough in ((6, 4, True), (5, 4, False), (0, 0, True)):
        split = {"promotes": {"posts": promotes}, "disputes": {"posts": disputes}, "unclear": {"posts": 9}}
        counts = {"posts": 20, "authors": 20, "stances": split}
        assert alerting.supported(rule, counts, sources=1, sources_heard=1) is enough


def test_the_reader_that_ships_works_on_stored_rows(ready: World) -> None:
    reading = Reading(lesson_name(), lambda e: learn_stance(e, text_for_encoder), StanceReader.from_bytes)
    world = replace(ready, rt=replace(ready.rt, reading=reading, readers={}))
    gather(world, post(1, "Minister says the theatre was staged, according to Reuters"), post(2, "🎭 theatre"))
    assert read(world)["1 staged"] == "reports"
    assert world.one("select lesson from stance_readers") == lesson_name()


@pytest.fixture
def web(database_url: str, on: tuple[World, FakeReader]) -> Iterator[TestClient]:
    world, _ = on
    gather(world, *FOUR, post(5))
    world.clock.forward(minutes=5)  # so that something was heard
    gather(world, post(6, "rain"))
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as client:
        yield client


SPLIT = {"promotes": 2, "disputes": 1, "reports": 1, "unclear": 1}
EXPORTS = ("posts", "scores", "trends")


def test_several_frames_are_split_and_narrowed_by_stance(web: TestClient) -> None:
    told = web.get("/api/v1/trends/several", params={"by_stance": True}).json()
    assert {f["stances"] for f in web.get("/api/v1/trends/several").json()["frames"]} == {None}
    stances_of = {f["frame"]: summed(f["stances"]) for f in told["frames"]}
    assert stances_of == {"staged-theatrics": SPLIT, "russia-blames-us": {}}
    narrow = web.get("/api/v1/trends/several", params={"stance": "promotes"}).json()
    counted = {f["frame"]: sum(n or 0 for n in f["posts"]) for f in narrow["frames"]}
    assert (narrow["stance"], counted) == ("promotes", {"staged-theatrics": 2, "russia-blames-us": 0})
    assert sum(n or 0 for n in narrow["scored"]) == 6
    table = web.get("/api/v1/trends/several", params={"by_stance": True}, headers={"Accept": "text/csv"}).text
    assert summed(r["stances"] for r in csv.DictReader(io.StringIO(table))) == SPLIT


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_what_is_exported_says_and_is_narrowed_by_stance(web: TestClient, form: str) -> None:
    frame = {"frame": "staged-theatrics", "format": form}
    told = _rows(web, "posts", form, frame)
    assert sorted(_stance(r) for r in told) == ["disputes", "promotes", "promotes", "reports", "unclear"]
    assert [r["id"] for r in _rows(web, "posts", form, {**frame, "stance": "disputes"})] == ["2"]
    assert sum(_stance(r) == "promotes" for r in _rows(web, "scores", form, {"format": form})) == 2
    assert summed(r["stances"] for r in _rows(web, "trends", form, frame)) == SPLIT
    narrow = _rows(web, "trends", form, {**frame, "stance": "promotes"})
    assert sum(int(r["posts"] or 0) for r in narrow) == 2
    assert web.get("/api/v1/exports/posts", params={"stance": "promotes"}).status_code == 400


def summed(splits: Iterable[Any]) -> dict[str, int]:
    """Over all buckets: the hour may strike between two posts."""
    return dict(sum((Counter(_json(s)) for s in splits if s), Counter()))


def _rows(web: TestClient, name: str, form: str, asked: dict[str, str]) -> list[dict[str, Any]]:
    body = web.get(f"/api/v1/exports/{name}", params=asked).content
    if form == "parquet":
        return list(pytest.importorskip("pyarrow.parquet").read_table(io.BytesIO(body)).to_pylist())
    text = body.decode()
    return list(csv.DictReader(io.StringIO(text))) if form == "csv" else [json.loads(x) for x in text.splitlines()]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _stance(row: dict[str, Any]) -> str:
    return (_json(row["stances"]) or {}).get("staged-theatrics", "") if row["stances"] else ""


def test_digest_and_metrics_say_the_split(on: tuple[World, FakeReader]) -> None:
    world, _ = on
    gather(world, *FOUR, post(5), post(6, "rain"))
    with world.store.transaction() as tx:
        body = listings.preview_digest(tx, world.clock() + timedelta(minutes=5)).body
        metrics = {
            s.labels["frame"] + " " + s.labels["stance"]: s.value
            for m in describe(read_figures(tx, world.clock(), world.rt.rule, {}))
            for s in m.samples
            if m.name == "framewatch_frame_stance_posts"
        }
    assert {s: of["posts"] for s, of in body["frames"][0]["stances"].items()} == SPLIT
    assert "2 promote, 1 dispute, 1 report, 1 unclear" in render_text("digest", body)
    assert metrics == {f"staged-theatrics {s}": n for s, n in SPLIT.items()} | {
        f"russia-blames-us {s}": 0 for s in SPLIT
    }


def test_where_it_is_off_no_export_metric_or_digest_names_it(ready: World, database_url: str) -> None:
    gather(ready, *FOUR)
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as web:
        for name in EXPORTS:
            assert "stance" not in web.get(f"/api/v1/exports/{name}").text
            assert "stance" not in web.get(f"/api/v1/exports/{name}", params={"format": "csv"}).text
        assert {f["stances"] for f in web.get("/api/v1/trends/several").json()["frames"]} == {None}
        assert "stance" not in web.get("/api/v1/trends/several", headers={"Accept": "text/csv"}).text
    with ready.store.transaction() as tx:
        body = listings.preview_digest(tx, ready.clock() + timedelta(minutes=5)).body
        samples = [s for m in describe(read_figures(tx, ready.clock(), ready.rt.rule, {})) for s in m.samples]
    assert not any("stance" in s.name for s in samples)
    assert "stances" not in body["frames"][0]
    assert "stand to" not in render_text("digest", body)
