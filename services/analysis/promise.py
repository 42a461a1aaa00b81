"""How the budget of false alarms is kept, in one line for people. Decides nothing."""

from datetime import datetime

from services.analysis.naming import many

UNKNOWN = "The past was not replayed yet: theory alone sets the threshold of a burst."


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
        return f"{asked} Too few days are judged to hold that against the past: theory alone sets the threshold."
    told = f"Detection as it is now would have told {_alarms(held, 'alarm')} a week, true ones included,"
    return f"{asked} {told} in the {many(round(days), 'day')} up to {until:%d %b %Y} (theory alone: {theory:.2g})."


def _alarms(number: float, name: str) -> str:
    return f"{number:.2g} {name}{'' if number == 1 else 's'}"
