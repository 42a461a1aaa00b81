"""The exporter's small HTTP server: `/metrics` and nothing else."""

import threading
from collections.abc import Callable
from datetime import datetime
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import start_http_server

from services.analysis.alerting import Rule
from services.exporter.collector import HouseCollector
from services.store.pool import Store

_RULE = Rule()


def start(
    store: Store, *, host: str, port: int, now: Callable[[], datetime], rule: Rule = _RULE
) -> tuple[WSGIServer, threading.Thread]:
    """Serve in a thread; the caller joins it, or shuts the server down."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HouseCollector(store, now=now, rule=rule))
    return start_http_server(port, host, registry)
