"""The demonstration inside `framewatch up --demo`: loads the codebook, serves December 2016, tells what happens."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from services import demo as bundled
from services.cli import house
from services.demo.mailbox import Mailbox
from services.demo.server import ReplayServer
from services.settings import Settings
from services.store import alerts, applying, deliveries, feeds
from services.store.pool import Connection, Store

SOURCES = {"rss": "feed.rss", "jsonl": "posts.jsonl"}
LOOK_EVERY = timedelta(seconds=1)


class Demo:
    """The twelve days, served to the real pipeline by a real server on this machine."""

    def __init__(self, home: Path, store: Store) -> None:
        self.mail_folder = home / "mail"
        self._home, self._store = home, store
        self._server: ReplayServer | None = None
        self._mailbox: Mailbox | None = None
        self._seen: set[str] = set()
        self._looked = house.now()
        self._over = False
        self._settling = False
        self._told: date | None = None

    def open(self, conf: Settings) -> Settings:
        """Start serving, and set up codebook, feeds, digest and channel where they are missing."""
        mail_port = house.port(self._home, "mail")
        self._mailbox = Mailbox(self.mail_folder, mail_port)
        self._mailbox.start()
        port = house.port(self._home, "demo")
        with self._store.transaction() as tx:
            self._set_up(tx, port, mail_port)
            known = {f["address"]: f for f in feeds.list_feeds(tx) if f["clock"] == "feed"}
            mine = [f for a, f in known.items() if a.startswith(f"http://127.0.0.1:{port}/")]
            self._over = bool(mine) and all(f["state"] == "ended" for f in mine)
            at = max((f["heard_until"] for f in mine if f["heard_until"]), default=None)
            self._seen = {a["alert_id"] for a in alerts.list_alerts(tx, limit=100)}
        self._server = ReplayServer(bundled.posts(), port=port, start=at)
        self._server.start()
        allowed = [n for n in conf.allow_networks.split(",") if n.strip()]
        return replace(conf, allow_networks=",".join([*allowed, f"127.0.0.1:{port}", f"127.0.0.1:{mail_port}"]))

    def introduce(self) -> None:
        """Say what will be seen."""
        if self._over:
            click.echo("The twelve days of December 2016 were replayed before; everything is as it was left.")
        else:
            click.echo("Replaying 3-14 December 2016: a quiet week, then Palmyra falls. About half a minute ...")

    def tend(self) -> None:
        """Look once a second how far the replay has come, and tell what is new."""
        present = house.now()
        if self._over or present - self._looked < LOOK_EVERY:
            return
        self._looked = present
        with self._store.transaction() as tx:
            told = alerts.list_alerts(tx, limit=100)
            mine = [f for f in feeds.list_feeds(tx) if f["clock"] == "feed"]
            heard = min((f["heard_until"] for f in mine if f["heard_until"]), default=None)
            ended = self._end(tx, mine, present)
        for alert in reversed([a for a in told if a["alert_id"] not in self._seen]):
            self._seen.add(alert["alert_id"])
            click.echo(f"  ALERT  {alert['reason']}\n         framewatch alerts show {alert['alert_id']}")
        if ended:
            self._over = True
            click.echo("The replay is over. Now add a feed of your own: framewatch feeds add URL\n")
        elif heard is not None and heard.date() != self._told and not self._settling:
            self._told = heard.date()
            click.echo(f"  heard until {heard:%d %b %Y %H:%M}")

    def close(self) -> None:
        """Stop serving."""
        if self._server:
            self._server.stop()
        if self._mailbox:
            self._mailbox.stop()

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

    def _set_up(self, tx: Connection, port: int, mail_port: int) -> None:
        now = house.now()
        if not deliveries.list_channels(tx):
            config = {"to": ["team@example.org"], "sender": "framewatch@example.org", "host": "127.0.0.1",
                      "port": mail_port, "security": "none"}  # fmt: skip
            deliveries.add_channel(tx, "demo-mail", "mail", config)
        elif any(c["name"] == "demo-mail" and c["config"]["port"] != mail_port for c in deliveries.list_channels(tx)):
            old = next(c for c in deliveries.list_channels(tx) if c["name"] == "demo-mail")
            deliveries.add_channel(tx, "demo-mail", "mail", {**old["config"], "port": mail_port})
        applying.apply_if_missing(tx, bundled.codebook_text(), now)
        if not feeds.list_feeds(tx):
            for source, path in SOURCES.items():
                feeds.add_feed(
                    tx, source=source, address=f"http://127.0.0.1:{port}/{path}", title=f"Sample posts ({source})",
                    now=now, interval_s=1, clock="feed",
                )  # fmt: skip
            deliveries.add_digest(tx, "daily", schedule="0 7 * * *", timezone="UTC", since=bundled.since())
        feeds.move_feeds(tx, "http://127.0.0.1:%", f"http://127.0.0.1:{port}/")
