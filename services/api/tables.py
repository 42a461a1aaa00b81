"""Lists and trends as CSV for who asks for `Accept: text/csv`: one row a thing, fields as in JSON. It reads nothing."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import Response

from schemas.wire import Wire
from services.analysis.tabling import csv_table

CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON; or, for `Accept: text/csv`, a table of what is in it; `Link: rel=next` is the next page.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
"""`responses` of a route that can answer so."""


async def wants_csv(request: Request) -> bool:
    """Whether a request would rather have CSV than JSON."""
    # It waits for nothing; as a plain function it would be given a thread.
    liked = {"text/csv": 0.0, "application/json": 0.0}
    for part in request.headers.get("accept", "").lower().split(","):
        media, *more = (word.strip() for word in part.split(";"))
        weight = next((w.removeprefix("q=") for w in more if w.startswith("q=")), "1")
        if media in liked:
            liked[media] = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
    return liked["text/csv"] > liked["application/json"]


AsCsv = Annotated[bool, Depends(wants_csv)]


def table(request: Request, model: type[Wire], things: Sequence[Wire | dict[str, Any]], following: str | None = None,
          columns: Sequence[str] = ()) -> Response:  # fmt: skip
    """Things as CSV, columns as the fields of `model` unless given; `following` is the cursor of the next page."""
    rows = [t if isinstance(t, dict) else t.model_dump() for t in things]
    headers = {} if following is None else {"Link": f'<{_next(request, following)}>; rel="next"'}
    return Response(csv_table(columns or list(model.model_fields), rows), media_type="text/csv", headers=headers)


def _next(request: Request, cursor: str) -> str:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"
