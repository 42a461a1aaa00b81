"""Composition root of the exporter process: settings, a store with little patience, the HTTP server."""

import logging
import signal
import sys
from datetime import UTC, datetime, timedelta

from schemas.errors import FramewatchError
from services import logs, settings
from services.analysis.alerting import Rule
from services.exporter.server import settle, start
from services.store.pool import Store

EX_CONFIG = 78
"""Exit status that tells a supervisor not to start this process again (sysexits.h)."""
TIMEOUT_S = 5


def main() -> None:
    """Serve until told to stop."""
    try:
        conf = settings.load()
        logs.set_up(conf.log_level)
        store = Store(settings.database_url(conf), size=2, name="framewatch exporter", statement_timeout_s=TIMEOUT_S)
    except FramewatchError as error:
        logs.set_up("INFO")
        logging.getLogger("framewatch").critical("cannot_start", extra={"told": str(error)})
        sys.exit(EX_CONFIG)
    rule = Rule(budget=conf.budget, learning=timedelta(days=conf.learning_days))
    about = {"host": conf.exporter_host, "port": conf.exporter_port}
    settle()
    server, thread = start(store, host=conf.exporter_host, port=conf.exporter_port, now=_now, rule=rule)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: server.shutdown())
    logging.getLogger("framewatch").info("exporter_listens", extra=about | {"port": server.server_port})
    thread.join()
    store.close()


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
