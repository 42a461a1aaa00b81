"""The demonstration's mailbox: mail of its channel becomes files to look at, for as long as there is that channel.

It passes nothing on, and touches no channel but its own.
"""

from dataclasses import replace
from pathlib import Path

from services.cli import house
from services.demo.mailbox import Mailbox
from services.settings import Settings
from services.store import deliveries
from services.store.pool import Row, Store

NAME, HOST, SENDER = "demo-mail", "127.0.0.1", "framewatch@example.org"


class DemoMail:
    """Serves the channel `demo-mail` of a home from open to close."""

    def __init__(self, home: Path, store: Store) -> None:
        self.folder = home / "mail"
        self._home, self._store = home, store
        self._mailbox: Mailbox | None = None

    def open(self, conf: Settings, *, make: bool) -> Settings:
        """Serve the channel if it is there, made by an earlier run; `make` adds it where there is none at all."""
        with self._store.transaction() as tx:
            known = deliveries.list_channels(tx)
            ours = next((c for c in known if is_ours(c)), None)
            if ours is None and (known or not make):
                return conf
            port = house.port(self._home, "mail")
            if ours is None:
                config = {"to": ["team@example.org"], "sender": SENDER, "host": HOST, "port": port, "security": "none"}
                deliveries.add_channel(tx, NAME, "mail", config)
            elif ours["config"]["port"] != port:
                deliveries.move_channel(tx, NAME, {**ours["config"], "port": port})
        self._mailbox = Mailbox(self.folder, port)
        self._mailbox.start()
        return allowing(conf, port)

    @property
    def serves(self) -> bool:
        """Whether there is such a channel."""
        return self._mailbox is not None

    def close(self) -> None:
        """Take no more mail; what came stays."""
        if self._mailbox:
            self._mailbox.stop()


def is_ours(channel: Row) -> bool:
    """Whether a channel is the demonstration's, and not one that people gave the same name."""
    config = channel["config"]
    return (channel["name"], channel["kind"], config.get("host"), config.get("sender")) == (NAME, "mail", HOST, SENDER)


def allowing(conf: Settings, port: int) -> Settings:
    """Settings under which a server of ours on this machine may be asked."""
    allowed = [n for n in conf.allow_networks.split(",") if n.strip()]
    return replace(conf, allow_networks=",".join([*allowed, f"{HOST}:{port}"]))
