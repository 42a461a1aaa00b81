"""`framewatch up` in a home that was made with `--demo`: its mail still arrives, nothing of it fails, people's own stays."""

from pathlib import Path

import pytest

from schemas.records import Notice
from services.channels import channel_for
from services.cli import demo
from services.cli.demo_mail import DemoMail
from services.fetch import Fetcher
from services.settings import Settings
from services.store import deliveries, feeds
from services.store.pool import Store
from tests.api import seeded
from tests.living import living
from tests.waiting import wait


def channel(store: Store) -> dict[str, object]:
    with store.transaction() as tx:
        [found] = deliveries.list_channels(tx)
    return found


def samples(store: Store, state: str) -> list[int]:
    with store.transaction() as tx:
        made = [
            feeds.add_feed(tx, source=source, address=f"http://127.0.0.1:1/{path}", title="", now=seeded.NOW,
                           interval_s=1, clock="feed")[0]
            for source, path in demo.SOURCES.items()
        ]  # fmt: skip
        for feed_id in made:
            feeds.set_feed_state(tx, feed_id, state, seeded.NOW)
    return made


def states(store: Store) -> list[str]:
    with store.transaction() as tx:
        return [f["state"] for f in feeds.list_feeds(tx)]


def test_the_channel_is_served_by_later_runs_at_the_port_they_have(store: Store, tmp_path: Path) -> None:
    first = DemoMail(tmp_path, store)
    first.open(Settings(), make=True)
    with store.transaction() as tx:
        deliveries.set_quiet(tx, "demo-mail", "22:00-07:00 Europe/Berlin")
    later = DemoMail(tmp_path, store)
    conf = later.open(Settings(allow_networks="10.0.0.0/8"), make=False)
    first.close()
    try:
        found = channel(store)
        assert found["quiet"] == "22:00-07:00 Europe/Berlin"
        assert conf.allow_networks == f"10.0.0.0/8,127.0.0.1:{found['config']['port']}"
        way = Fetcher(allow_networks=conf.allow_networks)
        notice = Notice("test.1", "test", "framewatch: a test", {"channel": "demo-mail"})
        channel_for("mail", found["config"], way, public_url="").send(notice, sent_at=seeded.NOW)
    finally:
        later.close()
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


@pytest.mark.parametrize(
    ("name", "host"), [("demo-mail", "mail.example.org"), ("team", "127.0.0.1")], ids=["its name", "its place"]
)
def test_a_channel_of_the_users_own_is_left_as_it_is(store: Store, tmp_path: Path, name: str, host: str) -> None:
    config = {"to": ["me@example.org"], "sender": "framewatch@example.org", "host": host, "port": 25}
    with store.transaction() as tx:
        deliveries.add_channel(tx, name, "mail", config)
    mail = DemoMail(tmp_path, store)
    assert mail.open(Settings(), make=True) == Settings()
    assert not mail.serves
    assert channel(store)["config"] == config


def test_samples_left_unfinished_rest_and_go_on_and_nothing_else_does(store: Store, tmp_path: Path) -> None:
    samples(store, "enabled")
    with store.transaction() as tx:
        own = {"title": "", "now": seeded.NOW, "interval_s": 1}
        feeds.add_feed(tx, source="jsonl", address="replays/mine.jsonl", clock="feed", **own)
        feeds.add_feed(tx, source="rss", address="http://127.0.0.1:1/feed.rss?mine", **own)
    assert demo.rest(store) == 2
    assert demo.rest(store) == 2, "told again, until they go on"
    assert states(store) == ["paused", "paused", "enabled", "enabled"]
    show = demo.Demo(tmp_path, store)
    show.open(Settings())
    show.close()
    assert states(store) == ["enabled"] * 4


def test_samples_that_were_replayed_are_not_touched(store: Store) -> None:
    samples(store, "ended")
    assert demo.rest(store) == 0
    assert states(store) == ["ended", "ended"]


@pytest.mark.timeout(120)
def test_a_later_start_without_the_demonstration_says_so_and_parks_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with living(home) as house:
        store = house.store()
        mail = DemoMail(home, store)
        mail.open(Settings(), make=True)
        mail.close()
        samples(store, "enabled")
        store.close()
    with living(home) as house:
        wait(lambda: "demo-mail keeps its mail in that folder" in (home / "up.log").read_text(), 10)
        wait(lambda: "framewatch up --demo" in (home / "up.log").read_text(), 10)
        assert "took the test message" in house.cli("channels", "test", "demo-mail").stdout
        store = house.store()
        assert states(store) == ["paused", "paused"]
        with store.transaction() as tx:
            deliveries.add_deliveries(
                tx, Notice("test.2", "test", "framewatch: another", {"channel": "demo-mail"}), now=seeded.NOW
            )
        wait(lambda: sent(store) != ["pending"], 30)
        assert sent(store) == ["sent"]
        store.close()
    assert len(list((home / "mail").glob("*.eml"))) == 2


def sent(store: Store) -> list[str]:
    with store.transaction() as tx:
        return [r["state"] for r in tx.execute("select state from deliveries").fetchall()]
