"""Whatever `status` says is not as it should be, it says what it means and what to do, or that nothing is to be done."""

import re
from datetime import UTC, datetime

import pytest

from schemas.records import HealthWord
from services.analysis import health, promise
from services.cli import remedies
from services.store.pool import Store
from tests.cli.test_commands import Run, run, with_database
from tests.cli.test_feed_health import numbers, wide

__all__ = ["numbers", "run", "wide", "with_database"]
WAY_OUT = re.compile(r"[Nn]othing (else is )?to (be done|do)|framewatch [a-z]+|its log: /|nothing else is to be done")
RUN = {
    "api": {"state": "running", "restarts": 0, "reason": "", "log": "/l/api"},
    "beat": {"state": "waiting", "restarts": 3, "reason": "ended with status 1", "log": "/l/beat"},
    "redis": {"state": "running", "restarts": 2, "reason": "", "log": "/l/redis"},
}


def test_every_way_of_not_being_well_has_a_way_out() -> None:
    told = [
        *remedies.of_feeds(health.ORDER),
        *remedies.of_stages([{"stage": "classify", "waiting": 9, "oldest_s": 7200.0}]),
        *(line for line, _ in remedies.of_processes({"processes": RUN})),
        remedies.of_messages(2), remedies.of_posts(1), remedies.of_present([]), promise.UNKNOWN,
        promise.words(1.0, 3, (0, datetime(2026, 1, 1, tzinfo=UTC)), (None, None)),
    ]  # fmt: skip
    assert len(told) == len(health.ORDER) - 1 + 1 + 2 + 5
    assert [line for line in told if not WAY_OUT.search(line) and "/l/" not in line] == []


def test_what_is_well_is_passed_over() -> None:
    live = {"clock": "wall", "state": "enabled"}
    assert remedies.of_feeds(["heard", "heard"]) == []
    assert remedies.of_stages([{"stage": "classify", "waiting": 9, "oldest_s": 60.0}]) == []
    assert (remedies.of_messages(0), remedies.of_posts(0), remedies.of_present([live])) == ("", "", "")
    assert list(remedies.of_processes({"processes": {"api": RUN["api"]}})) == []


@pytest.mark.usefixtures("with_database", "wide")
def test_status_says_it(run: Run, store: Store, numbers: dict[HealthWord, int]) -> None:
    with store.transaction() as tx:
        tx.execute(
            "insert into deliveries (message_id, state, kind, subject, data, created_at, next_attempt_at)"
            " values ('m', 'parked', 'digest', 's', '{}', now(), now())"
        )
    told = run("status")[1]
    for line in (*remedies.of_feeds(numbers), promise.UNKNOWN):
        assert re.sub(r"\S*framewatch", "framewatch", line) in re.sub(r"\S*framewatch", "framewatch", told)
    assert "1 message set aside: could not be delivered. Why:" in told
    assert "parked" not in told
