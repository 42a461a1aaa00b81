"""The page of one frame: its trend as asked for, its alerts, who carries it and what they say. It writes nothing."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from schemas import wire
from schemas.stance import ANSWERS
from services.analysis import stepping
from services.analysis.alerting import Rule
from services.analysis.courses import course
from services.analysis.moving import movement
from services.console import chart, plot, usual
from services.console.desk import desk_of, page
from services.store import alerts as alert_rows
from services.store import feeds, listings, over_time, overview, readings, stances
from services.store.pool import Connection
from services.usecases.shares import with_usual_share
from services.usecases.thresholds import carried_from

POSTS = 6
ALERTS = 12
CARRIERS = 8
PARTS = 6
MOST_FACTS = 3_000
"""Posts whose texts are looked through for links and carriers; of more, the newest."""
PERIODS = {
    "1": "1 day",
    "3": "3 days",
    "7": "7 days",
    "14": "14 days",
    "30": "30 days",
    "90": "90 days",
    "365": "1 year",
}
STEPS = {"5m": "5 minutes", "15m": "15 minutes", "1h": "hour", "6h": "6 hours", "1d": "day", "1w": "week"}
SHOWN: dict[str, str] = {"units": "Voices", "posts": "Posts", "share": "Share"}
SPLITS = {"": "All", "source": "By source", "lang": "By language", "stance": "By stance"}
EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)
MOST_STEPS = 2500
"""So many bars can still be told apart when zoomed in."""


@dataclass(frozen=True, slots=True)
class View:
    """How the trend is to be shown."""

    days: str
    step: str
    show: chart.Measure
    by: str
    until: str = ""
    """The last day of the period, such as 2016-12-14; empty for one that ends now."""

    @property
    def length(self) -> timedelta:
        """Of the period."""
        return timedelta(days=int(self.days))

    def period(self, present: datetime) -> tuple[datetime, datetime | None]:
        """When the period begins and ends; None for one that goes on."""
        end = end_of(self.until, present)
        return (end or present) - self.length, end

    def earlier(self, present: datetime) -> str:
        """The query of the period before this one."""
        return self.link(until=day_before(self.period(present)[0]))

    def later(self, present: datetime) -> str:
        """The query of the period after this one; of one that would not be over, the query of now."""
        end = (self.period(present)[1] or present) + self.length
        return self.link(until=day_before(end) if end < present else "")

    def steps(self) -> dict[str, str]:
        """The steps that suit the period."""
        return {k: v for k, v in STEPS.items() if suits(self.days, k)}

    def link(self, **change: str) -> str:
        """The query of this view with something changed, or as it is."""
        return "?" + urlencode(self.asked(**change))

    def asked(self, **change: str) -> dict[str, str]:
        """What a query has to say for this view with something changed, beyond what is usual."""
        asked = {"days": self.days, "step": self.step, "show": self.show, "by": self.by, "until": self.until}
        asked |= change
        if not suits(asked["days"], asked["step"]):
            asked["step"] = usual_step(asked["days"])
        usual = {"days": "14", "step": usual_step(asked["days"]), "show": "units", "by": "", "until": ""}
        return {k: v for k, v in asked.items() if v != usual[k]}


def day_of(word: str) -> str:
    """A day as an address names it, or nothing for what is none."""
    with suppress(ValueError):
        found = date.fromisoformat(word)
        return word if word == found.isoformat() and EARLIEST <= found < LATEST else ""
    return ""


def end_of(until: str, present: datetime) -> datetime | None:
    """The end of the day that an address names; None where it names none, or one that is not over."""
    if not until:
        return None
    end = datetime.combine(date.fromisoformat(until), time(), UTC) + timedelta(days=1)
    return end if end < present else None


def day_before(end: datetime) -> str:
    """The last day of a period that ends then."""
    return max((end - timedelta(microseconds=1)).date(), EARLIEST).isoformat()


def suits(days: str, step: str) -> bool:
    """Whether a period has few enough, and more than one, of these steps."""
    length, each = timedelta(days=int(days)), stepping.length_of(step)
    return 2 <= length / each <= MOST_STEPS


def usual_step(days: str) -> str:
    """The step that a period is shown in unless another is asked for."""
    return "1h" if int(days) <= 30 else "1d"


def view_of(request: Request) -> View:
    """What a request asks for; what is not known is the usual."""
    asked = request.query_params
    days = asked.get("days", "14")
    days = days if days in PERIODS else "14"
    step = asked.get("step", "")
    step = step if step in STEPS and suits(days, step) else usual_step(days)
    show = asked.get("show", "units")
    by = asked.get("by", "")
    return View(
        days, step, cast(chart.Measure, show if show in SHOWN else "units"),
        by if by in SPLITS else "", day_of(asked.get("until", "")),
    )  # fmt: skip


def frame(request: Request) -> Response:
    """One frame."""
    desk, view = desk_of(request), view_of(request)
    with desk.store.transaction() as tx:
        wall = desk.now()
        about, trend = asked_trend(tx, wall, request, view)
        view = view if end_of(view.until, trend.present) else replace(view, until="")
        told = _told(tx, wall, trend, view) | {"parts_of": _parts(tx, wall, trend, view, rule=desk.rule)}
        posts = listings.read_posts(tx, wall, **about, limit=POSTS).posts
    return page(request, "frame.html", trend=trend, present=trend.present, view=view, posts=posts, periods=PERIODS,
                shown=SHOWN, **told)  # fmt: skip


def asked_trend(tx: Connection, wall: datetime, request: Request, view: View) -> tuple[dict[str, Any], wire.Trend]:
    """What a page's address asks of posts (codebook, frame, since), and the trend that it draws."""
    about: dict[str, Any] = {name: str(request.path_params[name]) for name in ("codebook", "frame")}
    about["since"], about["until"] = view.period(feeds.present(tx, wall))
    trend = over_time.read_trend(tx, wall, **about, step=view.step)
    return about, with_usual_share(tx, trend, rule=desk_of(request).rule) if view.show == "share" else trend


def _told(tx: Connection, wall: datetime, trend: wire.Trend, view: View) -> dict[str, Any]:
    step = stepping.length_of(view.step)
    rows = readings.read_frames(tx, wall).frames
    found = next((f for f in rows if (f.codebook, f.frame) == (trend.codebook, trend.frame)), None)
    alerts = overview.filtered_alerts(tx, limit=ALERTS, frame=trend.frame)
    began = [a for a in alerts if trend.since <= a["onset"] < trend.until]
    marked = [{**a, "told": f"{a['kind']} alert, {course(a['state'])}"} for a in began]
    show = measured(trend.points, view.show)
    stood = bool(found) and stances.any_reader(tx)
    drawn = chart.draw(trend.points, measure=show, step=step, alerts=[a["onset"] for a in began])
    told: dict[str, Any] = {
        "before": None if any(p.posts for p in trend.points) else _before(tx, trend),
        "frame": found, "alerts": alerts, "splits": {k: v for k, v in SPLITS.items() if stood or k != "stance"},
        "chart": drawn, "usual": usual.told(drawn, view.show, step=step, by=view.by) if found else "",
        "columns": plot.columns(trend.points, measure=show, step=step, alerts=marked),
    }  # fmt: skip
    if found:
        row = readings.current_frame(tx, trend.frame, trend.codebook)
        period = {"version_id": row["version_id"], "frame": trend.frame, "since": trend.since, "until": trend.until}
        since, until = trend.present - timedelta(days=1), trend.present + step
        day = overview.verdict_series(tx, since, until, frames=[trend.frame])
        period["since"] = newest_of(trend.points, MOST_FACTS, trend.since)
        told |= {
            "facts": alert_rows.facts(tx, **period), "moved": movement(day.get((trend.codebook, trend.frame), [])),
            "stances": _stood(stances.stance_counts(tx, **period)), "facts_since": period["since"],
            "threshold": carried_from(tx, row["version_id"]).get(trend.frame),
            "carriers": overview.top_carriers(tx, limit=CARRIERS, **period),
        }  # fmt: skip
    return told


def _before(tx: Connection, trend: wire.Trend) -> str:
    """The last day before a trend on which there was something to draw; empty when there was none."""
    row = readings.current_frame(tx, trend.frame, trend.codebook)
    at = overview.last_carried(tx, row["version_id"], row["frame"], trend.since)
    return at.date().isoformat() if at else ""


def measured(points: Sequence[wire.TrendPoint], asked: chart.Measure) -> chart.Measure:
    """What can be drawn: posts where voices were asked for and are unknown, as of all posts or of very many."""
    return "posts" if asked == "units" and any(p.posts and p.units is None for p in points) else asked


def newest_of(points: Sequence[wire.TrendPoint], most: int, since: datetime) -> datetime:
    """From when on a period holds at most `most` posts, whole steps; the last step whatever it holds."""
    count = 0
    for at, point in enumerate(reversed(points)):
        count += point.posts or 0
        if count > most and at:
            return points[len(points) - at].at
    return since


def _largest(tx: Connection, by: str, period: dict[str, Any]) -> list[dict[str, Any]]:
    """part and posts of the largest parts, most first; of stances what was read."""
    if by != "stance":
        return overview.parts(tx, by, **period)[:PARTS]
    return _stood(stances.stance_counts(tx, **period))


def _stood(counted: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [{"part": name, "posts": counted[name]["posts"]} for name in ANSWERS if name in counted]


def part_points(tx: Connection, wall: datetime, trend: wire.Trend, view: View, *, rule: Rule) -> list[dict[str, Any]]:
    """Of each of the largest parts that a view splits a trend into: part, posts and points; none of one not split."""
    if not view.by:
        return []
    row = readings.current_frame(tx, trend.frame, trend.codebook)
    period = {"version_id": row["version_id"], "frame": trend.frame, "since": trend.since, "until": trend.until}
    about: dict[str, Any] = {"frame": trend.frame, "codebook": trend.codebook, "step": view.step}
    told = []
    for part in _largest(tx, view.by, period):
        of = over_time.read_trend(tx, wall, **about, since=trend.since, **{view.by: part["part"]})
        points = (with_usual_share(tx, of, rule=rule) if view.show == "share" else of).points
        told.append({**part, "points": points[-len(trend.points) :]})
    return told


def _parts(tx: Connection, wall: datetime, trend: wire.Trend, view: View, *, rule: Rule) -> list[dict[str, Any]]:
    """A small chart for each of the largest parts."""
    step = stepping.length_of(view.step)
    found = part_points(tx, wall, trend, view, rule=rule)
    return [{**p, "chart": chart.draw(p["points"], measure=measured(p["points"], view.show), step=step)} for p in found]
