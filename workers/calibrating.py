"""Once a day of the stream: replay what the tests said of all frames, and keep what that asks of the threshold.

Bounded: eight weeks of the buckets in which a test went beyond. Decides nothing itself (analysis/budget does).
"""

from datetime import UTC, datetime, timedelta

from services.analysis import budget
from services.store import calibrations
from workers.runtime import Runtime

DAY = timedelta(days=1)


def calibrate(rt: Runtime, closed: datetime) -> bool:
    """Replay up to the beginning of the day that `closed` is in, unless that was done; whether it was now."""
    until = datetime.fromtimestamp(closed.timestamp() // DAY.total_seconds() * DAY.total_seconds(), UTC)
    with rt.store.transaction() as tx:
        newest = calibrations.newest_calibration(tx)
        if newest is not None and newest["holds_from"] >= until:
            return False
        told = calibrations.told(tx, since=until - 2 * budget.DAYS * DAY, until=until, step=rt.rule.step)
    held = budget.replay(told, int(DAY / rt.rule.step), int(until.timestamp() // DAY.total_seconds()))
    asked = rt.rule.alpha(len(told))
    accepted = held.accept(asked)
    found = {
        "holds_from": until, "made_at": rt.now(), "budget": rt.rule.budget, "series": held.series, "days": held.days,
        "asked": asked, "accepted": accepted, "alarms": held.told(asked), "held": held.told(accepted),
        "found": budget.to_json(held),
    }  # fmt: skip
    with rt.store.transaction() as tx:
        calibrations.add_calibration(tx, found)
    return True
