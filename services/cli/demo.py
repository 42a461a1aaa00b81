"""The demonstration inside `framewatch up --demo`: loads the codebook, serves December 2016, tells what happens."""

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from services import demo as bundled
from services.cli import calling, house
from services.cli.demo_mail import allowing
from services.demo.server import ReplayServer
from services.settings import Settings
from services.store import alerts, applying, deliveries, feeds
from services.store.pool import Connection, Row, Store

SOURCES = {"rss": "feed.rss", "jsonl": "posts.jsonl"}
LOOK_EVERY = timedelta(seconds=1)


class Demo:
    """The twelve days, served to the real pipeline by a real server on this machine."""

    def __init__(self, home: Path, store: Store) -> None:
        self._home, self._store = home, store
        self._server: ReplayServer | None = None
        self._seen: set[str] = set()
        self._looked = house.now()
        self._over = False
        self._settling = False
        self._told: date | None = None

    def open(self, conf: Settings) -> Settings:
        """Start serving, and set up codebook, feeds and digest where they are missing."""
        port = house.port(self._home, "demo")
        with self._store.transaction() as tx:
            self._set_up(tx, port)
            mine = sample_feeds(tx)
            for feed in mine:
                if feed["state"] == "paused":
                    feeds.set_feed_state(tx, feed["feed_id"], "enabled", house.now())
            self._over = bool(mine) and all(f["state"] == "ended" for f in mine)
            at = max((f["heard_until"] for f in mine if f["heard_until"]), default=None)
            self._seen = {a["alert_id"] for a in alerts.list_alerts(tx, limit=100)}
        self._server = ReplayServer(bundled.posts(), port=port, start=at)
        self._server.start()
        return allowing(conf, port)

    def introduce(self) -> None:
        """Say what will be seen."""
        if self._over:
            click.echo("The twelve days of December 2016 were replayed before; everything is as it was left.")
        else:
            click.echo("Replaying 3-14 December 2016: a quiet week, then Palmyra falls. About half a minute ...")
            click.echo(
                "Posts near a threshold fall one way or the other, so that alerts differ a little from run to run."
            )

    def tend(self) -> None:
        """Look once a second how far the replay has come, and tell what is new."""
        present = house.now()
        if self._over or present - self._looked < LOOK_EVERY:
            return
        self._looked = present
        with self._store.transaction() as tx:
            told = alerts.list_alerts(tx, limit=100)
            mine = sample_feeds(tx)
            heard = min((f["heard_until"] for f in mine if f["heard_until"]), default=None)
            ended = self._end(tx, mine, present)
        for alert in reversed([a for a in told if a["alert_id"] not in self._seen]):
            self._seen.add(alert["alert_id"])
            calling.say(f"  ALERT  {alert['reason']}\n         framewatch alerts show {alert['alert_id']}")
        if ended:
            self._over = True
            calling.say("The replay is over. Now add a feed of your own: framewatch feeds add URL\n")
        elif heard is not None and heard.date() != self._told and not self._settling:
            self._told = heard.date()
            click.echo(f"  heard until {heard:%d %b %Y %H:%M}")

    def close(self) -> None:
        """Stop serving."""
        if self._server:
            self._server.stop()

    def _end(self, tx: Connection, mine: list[dict[str, object]], now: datetime) -> bool:
        """Once all is heard, end the feeds, so that their silence from now on is no outage."""
        last = bundled.until()
        if not mine or not all(f["heard_until"] and f["heard_until"] >= last for f in mine):  # type: ignore[operator]
            return False
        for feed in mine:
            if feed["state"] == "enabled":
                feeds.set_feed_state(tx, int(str(feed["feed_id"])), "ended", now)
        self._settling = True
        behind = [w for w in alerts.watch_positions(tx) if w["evaluated_until"] is None or w["evaluated_until"] < last]
        return not behind

    def _set_up(self, tx: Connection, port: int) -> None:
        now = house.now()
        applying.apply_if_missing(tx, bundled.codebook_text(), now)
        if not feeds.list_feeds(tx):
            for source, path in SOURCES.items():
                feeds.add_feed(
                    tx, source=source, address=f"http://127.0.0.1:{port}/{path}", title=f"Sample posts ({source})",
                    now=now, interval_s=1, clock="feed",
                )  # fmt: skip
            deliveries.add_digest(tx, "daily", schedule="0 7 * * *", timezone="UTC", since=bundled.since())
        feeds.move_feeds(tx, "http://127.0.0.1:%", f"http://127.0.0.1:{port}/")


def sample_feeds(tx: Connection) -> list[Row]:
    """The feeds that the demonstration added, whatever became of them; no replay of the user's own."""
    places = set(SOURCES.items())
    return [
        f for f in feeds.list_feeds(tx)
        if f["clock"] == "feed" and f["address"].startswith("http://127.0.0.1:")
        and (f["source"], f["address"].rpartition("/")[2]) in places
    ]  # fmt: skip


def rest(store: Store) -> int:
    """Pause sample feeds whose replay was left unfinished and is not served now; how many there are."""
    with store.transaction() as tx:
        left = [f for f in sample_feeds(tx) if f["state"] != "ended"]
        for feed in left:
            if feed["state"] == "enabled":
                feeds.set_feed_state(tx, feed["feed_id"], "paused", house.now())
    return len(left)
