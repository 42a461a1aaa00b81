"""How the console words things: states, times, the headline. Pure; markup is the templates', escaping Jinja's."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Undefined

from schemas.wire import Frame
from schemas.wire_history import AlertStep
from services.analysis.ages import ago, lasting
from services.analysis.conditions import place
from services.analysis.courses import MESSAGES, course, marks
from services.analysis.following import What
from services.analysis.moving import Movement, against, measure, times
from services.analysis.naming import many
from services.channels.wording import FILTERS, line

DONE = {
    "acked": "Acknowledged: nothing more is told of this alert until it is over.",
    "snoozed": "Snoozed: what is news by then is told then.",
    "resolved": "Ended by hand: the same burst is not raised again.",
    "retried": "What could not be delivered is sent once more, to channels that are there.",
    "muted": "Muted: alerts of this frame are still raised and kept, and nobody is told.",
    "unmuted": "This frame is spoken of again.",
    "drawn": "Drawn: there are posts to be judged.",
    "drawn-before": "This week was drawn before, or there are no posts to draw from.",
    "applied": "Applied: readers see it now.",
    "building": "Applied: stored posts are being scored, and readers see the old version until all are.",
    "dismissed": "Dismissed: it comes back only if it grows to three times what it is now.",
    "reopened": "Undecided again.",
    "asked": "Asked for: posts are grouped at the next chance.",
    "added": "Added; it is fetched at once.",
    "there": "That feed was there already.",
    "paused": "Paused: its silence is no gap.",
    "enabled": "Enabled: it is fetched again.",
}
"""What a form did, by the word in the address it leads to."""
Moves = Mapping[tuple[str, str], Movement | None]
"""Movements by codebook and frame."""


def ranked(frames: Sequence[Frame], moves: Moves = {}) -> list[Frame]:  # noqa: B006 - never changed
    """What moves first: what is on alert, bursts, then by how far the voices are above what the past explains.

    How far is the lower end of the interval, so that two voices where none was expected do not outrank fifty.
    """

    def order(frame: Frame) -> tuple[int, float, float, int]:
        moved = moves.get((frame.codebook, frame.frame))
        low = moved.low if moved else 0.0
        return (place(frame.condition, frame.state), -low, -(frame.change or 0.0), -(frame.posts or 0))

    return sorted(frames, key=order)


def moving(frame: Frame, day: Movement | None, week: Movement | None) -> bool:
    """Whether a frame has news: a burst within the week, an alert, or a day surely above what the past explains."""
    return bool(frame.condition in ("on alert", "burst") or (week and week.bursts) or (day and day.low > 1))


def headline(frames: Sequence[Frame]) -> str:
    """The news in one sentence."""
    alerting = [f.title for f in ranked(frames) if f.condition == "on alert"]
    bursting = [f.title for f in ranked(frames) if f.condition == "burst"]
    if alerting:
        return f"{listed(alerting)} {'is' if len(alerting) == 1 else 'are'} on alert."
    if bursting:
        return f"{listed(bursting)} {'is' if len(bursting) == 1 else 'are'} in a burst."
    if not frames:
        return "No codebook is current yet."
    if all(f.posts is None or f.condition == "too little heard" for f in frames):
        return "Too little was heard to say what moves."
    if all(f.condition == "learning" for f in frames):
        return "Still learning what is usual."
    return "Nothing moves now."


def listed(words: Sequence[str]) -> str:
    """A, B and C; of many the first three."""
    if len(words) > 3:
        return f"{', '.join(words[:3])} and {len(words) - 3} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def seconds(value: float) -> str:
    """15 minutes, from seconds."""
    return lasting(timedelta(seconds=value))


def gist(alert: Any) -> str:
    """Why an alert fired, without the title that stands before it."""
    told = getattr(alert, "reason", None) or (alert.get("reason") if isinstance(alert, dict) else None) or ""
    title = getattr(alert, "title", None) or (alert.get("title") if isinstance(alert, dict) else None) or ""
    rest = told.removeprefix(f"{title}: ")
    return rest[:1].upper() + rest[1:]


_MOVES: dict[What, str] = {
    "raised": "the alert is raised", "escalated": "it has grown", "acknowledged": "acknowledged{by}",
    "snoozed": "snoozed{by}", "muted": "muted{by}", "unmuted": "spoken of again{by}", "resolved": "ended{by}",
    "delivered": "{channel} is told {message}", "waiting": "{channel} is still to be told {message};",
    "parked": "{channel} could not be told {message}: set aside", "silenced": "nobody is told {message}",
}  # fmt: skip


_ENDS = {"calm": "it is over: calm again", "heard": "it is over: heard again"}


def told_step(step: AlertStep) -> str:
    """One step of an alert's history as a clause."""
    form = _MOVES[step.what]
    if step.what == "silenced" and step.channel:
        form = "{channel} is not told {message}"
    elif step.what == "resolved" and step.by is None:
        form = _ENDS.get(step.why or "", f"it is over: {line(step.why, 100)}" if step.why else "it is over")
    tried = f", after {many(step.attempts, 'try', 'tries')}" if (step.attempts or 0) > 1 else ""
    clause = form.format(
        by=f" by {line(step.by, 60)}" if step.by else "", channel=line(step.channel or "a channel that is gone", 60),
        message=MESSAGES.get(step.message or "", "of it"),
    )  # fmt: skip
    return clause + (tried if step.what in ("delivered", "parked") else "")


def told_beside(alert: Any, now: datetime) -> str:
    """What is told of an alert beside its word; "" for nothing."""
    about = {"acked": alert["acked_at"] is not None, "snoozed_until": alert["snoozed_until"]}
    return " · ".join(marks(alert["state"], now=now, **about))


def day(at: datetime) -> str:
    """14 Dec."""
    return f"{at.day} {at:%b}"


def date(at: Any) -> str:
    """14 Dec 2016, from a time or its RFC 3339 form, or a day of either; a dash for anything else."""
    return moment(at).removesuffix(" 00:00") if isinstance(at, str) else moment(at).rpartition(" ")[0] or "–"


def moment(at: Any) -> str:
    """14 Dec 2016 23:54, from a time or its RFC 3339 form; a dash for anything else."""
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return "–"
    return f"{at.day} {at:%b %Y %H:%M}" if isinstance(at, datetime) else "–"


def odds(value: float | None) -> str:
    """A chance as people say it: 1 in 1.3 million; of one in ten and more a percentage."""
    if value is None:
        return "–"
    if value >= 0.1:
        return str(FILTERS["percent"](value))
    if value < 1e-12:
        return "less than 1 in a trillion"
    many_times = float(f"{1 / value:.2g}")
    size, name = next(((s, n) for s, n in ((1e9, " billion"), (1e6, " million")) if many_times >= s), (1, ""))
    return f"1 in {many_times / size:,.3g}{name}" if name else f"1 in {many_times:,.0f}"


def signed(value: float | None) -> str:
    """A move of log odds with its sign: +1.4, −0.32."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def filters() -> dict[str, Callable[..., Any]]:
    """Those of our messages and our own; what is missing reads as unknown."""
    own = (
        ago, day, date, moment, lasting, headline, listed, measure, odds, signed, against, times, seconds, gist,
        told_step, course, told_beside,
    )  # fmt: skip
    return {name: _lenient(f) for name, f in {**FILTERS, **{f.__name__: f for f in own}}.items()}


def _lenient(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, *rest: f(None if isinstance(value, Undefined) else value, *rest)
