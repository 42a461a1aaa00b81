"""A stream in a running house: heard live from a real relay, taken up again after its worker was killed, let go at the end."""

import os
import signal
import time

import pytest

from services.sources import read_address
from tests.living import Living, living
from tests.sources.kits.nostr import event, native
from tests.sources.relays import real_relay
from tests.waiting import wait

sdk = pytest.importorskip("nostr_sdk")
pytestmark = pytest.mark.timeout(180)


def stored(house: Living) -> set[str]:
    store = house.store()
    with store.transaction() as tx:
        found = {r["native_id"] for r in tx.execute("select native_id from posts").fetchall()}
    store.close()
    return found


def test_a_stream_survives_its_worker_and_forgets_what_is_taken_back(tmp_path) -> None:
    now = int(time.time())
    first, second, third = (event(f"Post number {n}", at=now + n) for n in range(3))
    with (
        real_relay(sdk) as relay,
        living(tmp_path / "home", model="noop", allow_networks=relay.allowed, lease_seconds="6") as house,
    ):
        relay.publish(first)
        house.cli("feeds", "add", read_address("nostr", relay.url), "--kind", "nostr", "--listen")
        wait(lambda: stored(house) == {native(first)}, 40)
        relay.publish(second)
        wait(lambda: native(second) in stored(house), 20)
        os.kill(house.pid("worker-network") or 0, signal.SIGKILL)
        relay.publish(third, event("", kind=5, at=now + 9, tags=[("e", first["id"])]))
        wait(lambda: stored(house) == {native(second), native(third)}, 60)
        assert house.cli("verify").returncode == 0
        began = time.monotonic()
        house.process.send_signal(signal.SIGINT)
        house.process.wait(40)
        assert time.monotonic() - began < 30, "an open stream does not hold the house up"
