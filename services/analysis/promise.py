"""How the budget of false alarms is kept, in one line for people. Decides nothing."""

from datetime import datetime

from services.analysis.budget import LEAST_DAYS
from services.analysis.naming import many

NOTHING = "Nothing to do: alerts work meanwhile, by a threshold that statistical theory sets."
UNKNOWN = f"How many false alarms the past would have brought is first worked out after a day of the stream. {NOTHING}"


def words(
    budget: float, frames: int, replayed: tuple[float, datetime], alarms: tuple[float | None, float | None]
) -> str:
    """The budget, and what it would have come to in the past.

    `replayed`: how many days, and up to when; `alarms`: a week, at the threshold in force and at theory's; None where
    too few days were judged.
    """
    (days, until), (held, theory) = replayed, alarms
    over = many(frames, "frame") if frames else "all frames"
    asked = f"Accepted: {_alarms(budget, 'false alarm')} a week over {over}."
    if held is None or theory is None:
        return (
            f"{asked} How well that holds is checked against the past every day, from {LEAST_DAYS} judged days on."
            f" {NOTHING}"
        )
    told = f"Detection as it is now would have told {_alarms(held, 'alarm')} a week, true ones included,"
    return f"{asked} {told} in the {many(round(days), 'day')} up to {until:%d %b %Y} (theory alone: {theory:.2g})."


def _alarms(number: float, name: str) -> str:
    return f"{number:.2g} {name}{'' if number == 1 else 's'}"
