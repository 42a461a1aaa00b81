"""A problem can be traced: every answer bears the request's id, problems name it, and so does what the log says of it."""

import io
import logging
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from schemas.errors import Reason, TransientError
from services import logs
from services.analysis.tracing import request_id
from services.api import create_api
from services.store.pool import Store
from tests.api import seeded
from tests.waiting import serving

OURS = "abcd-0123"
TOKEN = "the-operators-own"
STAMP = {"Authorization": f"Bearer {TOKEN}"}


def house(store, **more):
    """The API with a route that has a bug, and one whose database is away; ids count up from 1."""
    made = iter(range(1, 10_000))
    api = create_api(
        store, now=lambda: seeded.NOW, intake=lambda: None, token=TOKEN, fresh_id=lambda: f"fresh-{next(made)}",
        stopping=lambda: True, **more,
    )  # fmt: skip

    def bug():
        raise ZeroDivisionError("s3cret")

    def away():
        raise TransientError(Reason.DATABASE_UNAVAILABLE, "Postgres is not available: no route to host")

    api.add_api_route("/api/v1/bug", bug)
    api.add_api_route("/api/v1/away", away)
    return api


@pytest.fixture
def web(store):
    return TestClient(house(store), raise_server_exceptions=False)


@pytest.fixture
def log():
    """What is logged, in our form."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.Formatter())
    for name in ("framewatch.api", "uvicorn.error"):
        logging.getLogger(name).addHandler(handler)
    yield out
    for name in ("framewatch.api", "uvicorn.error"):
        logging.getLogger(name).removeHandler(handler)


@pytest.mark.parametrize(
    ("path", "status", "more"),
    [
        ("/healthz", 200, {}), ("/readyz", 503, {}), ("/api/v1/feeds", 200, {}), ("/api/v1/docs", 200, {}),
        ("/api/v1/feeds", 200, {"Accept": "text/csv"}), ("/api/v1/feeds", 304, {"If-None-Match": "*"}),
        ("/api/v1/events", 200, {}), ("/api/v1/exports/posts", 200, {}), ("/api/v1/openapi.json", 200, {}),
        ("/api/v1/feeds", 401, {"Authorization": "Bearer wrong"}), ("/api/v1/nothing", 404, {}),
        ("/api/v1/labels/5", 405, {}), ("/api/v1/posts?limit=0", 422, {}), ("/api/v1/posts?cursor=x", 400, {}),
        ("/api/v1/away", 503, {}), ("/api/v1/bug", 500, {}), ("/leave/none", 404, {}),
    ],
)  # fmt: skip
def test_every_answer_bears_the_id_and_problems_name_it(web, path, status, more):
    answer = web.get(path, headers={**STAMP, "X-Request-Id": OURS, **more})
    assert answer.status_code == status, answer.text
    assert answer.headers.get_list("x-request-id") == [OURS]
    if answer.headers.get("content-type") == "application/problem+json":
        assert answer.json()["request_id"] == OURS
    else:
        assert status < 400 or path.startswith("/leave")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "s3cret" not in answer.text


def test_who_sends_none_or_a_wrong_one_gets_a_new_one(web):
    found = [web.get("/healthz", headers=told).headers["x-request-id"] for told in (
        {}, {}, {"X-Request-Id": ""}, {"X-Request-Id": "two words"}, {"X-Request-Id": "a" * 129}, {"X-Request-Id": "a" * 128},
        {"X-Request-Id": '"><script>'},
    )]  # fmt: skip
    assert found == ["fresh-1", "fresh-2", "fresh-3", "fresh-4", "fresh-5", "a" * 128, "fresh-7"]


def test_requests_at_once_keep_their_own(store):
    with serving(lambda _: house(store)) as address, ThreadPoolExecutor(8) as pool:

        def ask(number):
            path = ("/api/v1/nothing", "/api/v1/away", "/api/v1/posts?cursor=x")[number % 3]
            answer = httpx.get(address + path, headers={**STAMP, "X-Request-Id": f"of-{number}"})
            return answer.headers["x-request-id"], answer.json()["request_id"]

        assert list(pool.map(ask, range(60))) == [(f"of-{n}", f"of-{n}") for n in range(60)]


@pytest.mark.parametrize(("path", "event"), [("bug", "answer_failed"), ("away", "answer_waits")])
def test_the_log_names_the_request_of_a_5xx(web, log, path, event):
    web.get(f"/api/v1/{path}", headers={**STAMP, "X-Request-Id": OURS})
    (line,) = log.getvalue().splitlines()
    assert event in line
    assert line.endswith(f"request_id={OURS}")


def test_where_a_bug_is_stands_in_the_log_under_the_id(store, log):
    """Over real HTTP: the server itself writes where it was, when we are through with the request."""
    with serving(lambda _: house(store)) as address:
        answer = httpx.get(f"{address}/api/v1/bug", headers={**STAMP, "X-Request-Id": OURS})
        assert answer.json()["request_id"] == answer.headers["x-request-id"] == OURS
        quiet = httpx.get(f"{address}/healthz")
    text = log.getvalue()
    at = next(line for line in text.splitlines() if "Exception in ASGI application" in line)
    assert at.endswith(f"request_id={OURS}")
    assert "ZeroDivisionError" in text
    assert quiet.headers["x-request-id"].startswith("fresh-")


def test_lines_of_no_request_name_none(log):
    logging.getLogger("framewatch.api").warning("by_itself")
    assert "request_id" not in log.getvalue()


def test_the_document_tells_of_the_header_at_every_answer():
    nowhere = Store("postgresql://nobody@127.0.0.1:1/none")
    told = house(nowhere).openapi()
    nowhere.close()
    assert told["components"]["headers"]["RequestId"]["required"]
    for operations in told["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                assert answer["headers"]["X-Request-Id"] == {"$ref": "#/components/headers/RequestId"}


@given(st.text(max_size=140) | st.from_regex(r"[A-Za-z0-9._:/+=@-]{1,140}", fullmatch=True))
def test_an_id_is_taken_over_just_where_it_can_stand_anywhere(word):
    found = request_id(word, "fresh")
    fits = 0 < len(word) <= 128 and word.isascii() and all(c.isalnum() or c in "._:/+=@-" for c in word)
    assert found == (word if fits else "fresh")
