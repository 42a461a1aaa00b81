import http.server
import importlib.util
import threading
from datetime import UTC, datetime, timedelta

import pytest

from services.store import counts
from tests.deploy.reading import DEPLOY


@pytest.fixture(scope="module")
def health():
    spec = importlib.util.spec_from_file_location("framewatch_health", DEPLOY / "health.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ran(store, stage, ago):
    with store.transaction() as tx:
        counts.record_run(
            tx, stage, rows=0, failures=0, fenced_off=0, seconds=0.1,
            now=datetime.now(UTC) - timedelta(seconds=ago), error=None,
        )  # fmt: skip


def test_stages(health, store, database_url, monkeypatch):
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)
    assert health.main(["any"]) == "no stage ran for 180 s"
    ran(store, "collect", ago=10)
    ran(store, "deliver", ago=500)
    assert health.main(["stages", "collect"]) is None
    assert health.main(["stages", "collect", "deliver"]) == "not run for 180 s: deliver"
    assert health.main(["stages", "digest"]) == "not run for 180 s: digest"
    assert health.main(["any"]) is None


def test_no_database_is_a_reason_and_not_a_traceback(health, monkeypatch):
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    monkeypatch.setattr(health.Store, "transaction", refuse)
    assert "Postgres is not available" in health.main(["any"])
    monkeypatch.delenv("FRAMEWATCH_DATABASE_URL")
    assert "FRAMEWATCH_DATABASE_URL" in health.main(["stages", "collect"])


def refuse(_store):
    from services.store.pool import unavailable

    raise unavailable(OSError("connection refused"))


@pytest.fixture
def address():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            good = self.path == "/metrics"
            self.send_response(200 if good else 503)
            self.end_headers()
            metrics = b"# HELP framewatch_up 1.0\nframewatch_up 0.0\n"
            self.wfile.write(metrics if good else b"not ready: classify has never run")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pages(health, address):
    assert health.main(["page", f"{address}/metrics"]) is None
    assert health.main(["page", f"{address}/metrics", "framewatch_up 0.0"]) is None
    assert "does not say" in health.main(["page", f"{address}/metrics", "framewatch_up 1.0"])
    assert health.main(["page", f"{address}/readyz"]) == f"{address}/readyz: 503 not ready: classify has never run"
    assert "page: " in health.main(["page", "http://127.0.0.1:1/readyz"])
