"""What a page shows, as a file for a spreadsheet. It writes nothing."""

from starlette.requests import Request
from starlette.responses import Response

from services.analysis.tabling import csv_table
from services.console import chart
from services.console.desk import desk_of
from services.console.pages.frames import asked_trend, part_points, view_of

COLUMNS = ("at", "posts", "units", "authors", "share", "expected", "upper", "coverage", "state")
"""As the API's CSV of a trend names them; empty cells are unknown, never nought."""

OF_SHARES = ("expected_share", "upper_share")


def trend_table(request: Request) -> Response:
    """The trend that the page of a frame draws under the same query: step, period, and the parts of one split."""
    desk, view = desk_of(request), view_of(request)
    with desk.store.transaction() as tx:
        wall = desk.now()
        _, trend = asked_trend(tx, wall, request, view)
        parts = part_points(tx, wall, trend, view, rule=desk.rule)
    rows = [{"frame": trend.frame, **p.model_dump()} for p in chart.heeded(trend.points)] if not view.by else []
    rows += [{"frame": trend.frame, view.by: part["part"], **p.model_dump()} for part in parts for p in part["points"]]
    columns = [*filter(None, ("at", "frame", view.by)), *COLUMNS[1:], *(OF_SHARES if view.show == "share" else ())]
    name = "-".join(filter(None, ("trend", trend.frame.replace("*", "all-posts"), view.by, view.step, f"{view.days}d")))
    headers = {"Content-Disposition": f"attachment; filename={name}.csv"}
    return Response(csv_table(columns, rows), media_type="text/csv; charset=utf-8", headers=headers)
