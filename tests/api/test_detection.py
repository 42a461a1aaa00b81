"""How the budget of false alarms is kept, as told over the API."""

from datetime import UTC, datetime, timedelta

from services.analysis import budget
from services.store import calibrations

V1 = "/api/v1"


def test_the_newest_replay_is_told_in_alarms_a_week(web, store):
    assert web.get(f"{V1}/detection").json() == {"calibration": None}
    day = datetime(2016, 12, 10, tzinfo=UTC)
    found = {"made_at": day, "budget": 1.0, "series": 8, "days": 28, "asked": 7e-4, "accepted": 2e-4, "alarms": 12,
             "held": 2, "found": budget.to_json(budget.Held())}  # fmt: skip
    with store.transaction() as tx:
        for i in range(2):
            calibrations.add_calibration(tx, {**found, "holds_from": day + timedelta(days=i), "alarms": 12 - 4 * i})
    told = web.get(f"{V1}/detection").json()["calibration"]
    assert told["holds_from"] == "2016-12-11T00:00:00Z"
    assert (told["alarms_a_week_by_theory"], told["alarms_a_week"]) == (2.0, 0.5)
    assert (told["threshold_by_theory"], told["threshold"]) == (7e-4, 2e-4)
    assert told["told"] == (
        "Accepted: 1 false alarm a week over 8 frames. Detection as it is now would have told 0.5 alarms a week, true "
        "ones included, in the 28 days up to 11 Dec 2016 (theory alone: 2)."
    )


def test_few_days_are_said_to_be_few(web, store):
    day = datetime(2016, 12, 10, tzinfo=UTC)
    with store.transaction() as tx:
        calibrations.add_calibration(
            tx, {"holds_from": day, "made_at": day, "budget": 2.0, "series": 1, "days": 0, "asked": 7e-4,
                 "accepted": 7e-4, "alarms": 0, "held": 0, "found": budget.to_json(budget.Held())},
        )  # fmt: skip
    told = web.get(f"{V1}/detection").json()["calibration"]
    assert told["alarms_a_week"] is None
    assert told["told"].startswith("Accepted: 2 false alarms a week over 1 frame. How well that holds")
