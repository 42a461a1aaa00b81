"""Composition root of the exporter process: settings, a store with little patience, the HTTP server."""

import logging
import signal
import sys
from datetime import UTC, datetime

from schemas.errors import FramewatchError
from services import logs, settings
from services.exporter.server import start
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
    server, thread = start(store, host=conf.exporter_host, port=conf.exporter_port, now=lambda: datetime.now(UTC))
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: server.shutdown())
    logging.getLogger("framewatch").info(
        "exporter_listens", extra={"host": conf.exporter_host, "port": server.server_port}
    )
    thread.join()
    store.close()


if __name__ == "__main__":
    main()
