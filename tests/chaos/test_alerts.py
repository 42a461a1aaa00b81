"""Any worker process killed at any moment, a receiver that fails a third of the time: each alert comes, once raised."""

import pytest

from tests.chaos.under_fire import under_fire

FRAMES, KILLS = 16, 14


@pytest.mark.chaos
@pytest.mark.timeout(120)
def test_every_alert_comes_under_its_one_id_whatever_is_killed(database_url: str) -> None:
    receiver, killed = under_fire(database_url, FRAMES, kills=KILLS, seconds=100)
    assert killed == KILLS
    assert receiver.failed > FRAMES / 3, "the receiver has failed"
