"""Says what the usual range on a frame's chart is, or why there is none. Pure; it draws nothing."""

from datetime import timedelta

from services.analysis.days import WINDOW_BUCKETS
from services.analysis.naming import many
from services.analysis.shares import LEAST, can_be_usual
from services.console.chart import Chart, Measure

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
_STEPS = {HOUR: ("hour", "hours"), DAY: ("day", "days"), WEEK: ("week", "weeks")}


def told(drawn: Chart | None, asked: Measure, *, step: timedelta, by: str) -> str:
    """What to say below a chart in steps of `step`, split by `by`; empty where nothing is to be said."""
    if drawn is None or drawn.measure != asked:
        return ""
    if asked == "posts":
        return "Of posts no usual range is known: voices have one by the hour, shares by the hour and longer."
    return _of_shares(drawn, step, by) if asked == "share" else _of_voices(step, by)


def _of_voices(step: timedelta, by: str) -> str:
    if step != HOUR:
        return "Of voices the usual range is known by the hour alone; of shares by longer steps too."
    whole = "The usual range of voices is known of the whole frame alone; of shares, of sources and languages too."
    return whole if by else ""


def _of_shares(drawn: Chart, step: timedelta, by: str) -> str:
    if not can_be_usual(step):
        return (
            "No usual range: steps this short hold too few posts to say what share is usual. Hours and longer have one."
        )
    if not drawn.band:
        return f"No usual range yet: {_steps(LEAST, step)}, and a day after them, have to be heard well enough first."
    window = "four weeks" if step <= DAY else _steps(WINDOW_BUCKETS, step)
    alike = " at such hours and on such weekdays" if step < DAY else " on such weekdays" if step == DAY else ""
    none = " The parts have none: stance is read when there is time, so that its past says little."
    return (
        f"Usual range: up to the largest share that the {window} before explain{alike}, of so many posts in all. "
        "Bursts are judged by voices, not by shares: one author's many posts may lift a share alone."
    ) + (none if by == "stance" else "")


def _steps(count: int, step: timedelta) -> str:
    return many(count, *_STEPS.get(step, ("step", "steps")))
