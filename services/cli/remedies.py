"""What to do about what `status` says, in a line each, or that nothing is to be done. Words only; it reads nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.records import HealthWord
from services.analysis import health
from services.analysis.naming import many

OLD_S = 900.0
"""From here on the oldest row of a stage has waited for long."""
_FEEDS: Mapping[HealthWord, str] = {
    "failing": "It is tried again by itself; to see what it says now: framewatch feeds check ADDRESS",
    "late": "See whether its sender or our workers stand still: framewatch doctor",
    "warning": "Read what it says; nothing else is to be done while it is heard.",
    "new": "Nothing to do: it is heard within a minute.",
    "replaying": "Nothing to do: it ends by itself.",
    "paused": "To hear it again: framewatch feeds set-state ID enabled",
    "ended": "Nothing to do: its posts stay.",
}


def of_feeds(words: Iterable[HealthWord]) -> list[str]:
    """What each word but `heard` means, and what to do; those that occur, what needs a person first."""
    there = set(words)
    return [
        f"{word}: {health.MEANINGS[word]}. {_FEEDS[word]}" for word in health.ORDER if word in there & _FEEDS.keys()
    ]


def of_stages(backlog: Iterable[Mapping[str, Any]]) -> list[str]:
    """What to do about stages that are far behind."""
    return [
        f"{b['stage']} is {b['oldest_s'] / 60:.0f} min behind. "
        "Nothing to do while what waits grows less; else: framewatch doctor"
        for b in backlog if b["waiting"] and b["oldest_s"] > OLD_S
    ]  # fmt: skip


def of_processes(run: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """What is told of processes that are down or were started again, and whether that is bad."""
    for name, process in run["processes"].items():
        times = many(process["restarts"], "time")
        if process["state"] != "running":
            way = (
                "Mend that, then stop and start framewatch"
                if process["state"] == "refused"
                else "It is started again by itself"
            )
            yield f"{name}: {process['state']}, {process['reason']}. {way}; its log: {process['log']}", True
        elif process["restarts"]:
            yield f"{name} was started again {times} and runs. Nothing to do; what happened: {process['log']}", False


def of_messages(parked: int) -> str:
    """What to do about messages that were set aside; "" where there are none."""
    if not parked:
        return ""
    return (
        f"{many(parked, 'message')} set aside: could not be delivered. Why: framewatch alerts list, "
        "then alerts show ID; is it mended: framewatch channels test NAME; send them again: framewatch channels retry"
    )


def of_posts(parked: int) -> str:
    """What to do about posts that were set aside; "" where there are none."""
    if not parked:
        return ""
    return f"{many(parked, 'post')} set aside: could not be scored, and in no trend. Try again: framewatch posts retry"


def of_present(feeds: Iterable[Mapping[str, Any]]) -> str:
    """Why the stream stands in the past, where it does."""
    if any(f["clock"] == "wall" and f["state"] == "enabled" for f in feeds):
        return ""
    return "That is how far replays of the past were heard. Nothing to do: with a first live feed it is the present."
