"""Nothing a caller can send is a 5xx, and what is wrong is a problem that does not repeat it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError
from services.api.questions import cursor, position

NAMES = ("frame", "codebook", "source", "lang", "since", "until", "cursor", "limit", "step", "q", "\0", "é")
PATHS = ("/api/v1/trends", "/api/v1/posts", "/api/v1/alerts")
SURROGATE = "%ED%A0%80"
BAD = [
    ("/api/v1/posts?limit=0", 422), ("/api/v1/posts?limit=501", 422), ("/api/v1/posts?limit=" + "9" * 5000, 422),
    ("/api/v1/posts?limit=1e3", 422), ("/api/v1/posts?since=20000-01-01T00:00:00Z", 422),
    ("/api/v1/posts?since=0001-01-01T00:00:00Z", 422), ("/api/v1/posts?until=9999-12-31T23:59:59-23:59", 422),
    ("/api/v1/posts?since=2016-12-01T00:00:00", 422), ("/api/v1/posts?since=1e308", 422),
    ("/api/v1/posts?since=nan", 422), ("/api/v1/posts?frame=%00", 422), ("/api/v1/posts?source=%00", 422),
    (f"/api/v1/posts?lang={SURROGATE}", 422), (f"/api/v1/trends?frame={SURROGATE}", 422),
    ("/api/v1/trends", 422), ("/api/v1/trends?frame=*&step=7m", 422), ("/api/v1/trends?frame=nope", 404),
    ("/api/v1/trends?frame=*&codebook=nope", 404), ("/api/v1/posts?frame=nope", 404), ("/api/v1/posts?q=%00", 422), ("/api/v1/posts?words=x", 422),
    ("/api/v1/posts?cursor=!", 422), ("/api/v1/posts?cursor=abc", 400), ("/api/v1/alerts?cursor=WzFd", 400),
    ("/api/v1/alerts/nope", 404), ("/api/v1/alerts/%00", 404), ("/api/v1/alerts/00000000000000000000", 404),
    ("/api/v1/nope", 404), ("/api/", 404), ("/api/v1/posts/..%2f..%2fetc", 404),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), BAD)
def test_bad_input_is_a_problem(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]


def test_a_wrong_method_names_the_right_one(client):
    answer = client.post("/api/v1/frames")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["title"] == "Method Not Allowed"


def test_faults_name_the_parameter_and_never_repeat_the_value(client):
    told = client.get("/api/v1/posts?limit=zzz&since=yyy&xxx=1").json()
    assert {f["parameter"] for f in told["errors"]} == {"limit", "since", "xxx"}
    assert "zzz" not in str(told)
    assert "yyy" not in str(told)


@given(
    path=st.sampled_from(PATHS),
    told=st.lists(
        st.tuples(st.sampled_from(NAMES), st.text(max_size=30) | st.from_regex(r"[a-z*0-9:TZ+-]{0,25}")), max_size=4
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_ever_our_fault(client, path, told):
    query = "&".join(f"{quote(n)}={quote(v, errors='surrogatepass')}" for n, v in told)
    assert client.get(f"{path}?{query}").status_code < 500


@given(word=st.text(st.characters(max_codepoint=127), max_size=60), kind=st.sampled_from([int, str]))
@settings(max_examples=200, deadline=None)
def test_no_cursor_crashes(word, kind):
    try:
        told = position(word, kind)
    except PermanentError:
        return
    assert isinstance(told["before"], datetime)


@given(at=st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), key=st.integers(0, 2**63 - 1) | st.just("0a" * 10))
@settings(max_examples=50, deadline=None)
def test_a_cursor_comes_back_as_it_went(at, key):
    at = at.replace(tzinfo=UTC)
    assert position(cursor(at, key), type(key)) == {"before": at, "before_id": key}
    assert position(cursor(at, key, at), type(key), moves=True)["since"] == at


@pytest.mark.parametrize("key", [2**63, -(2**70), 1.5, True, None, [], {}, "é", "\0"])
def test_a_forged_cursor_is_refused(key):
    with pytest.raises(PermanentError):
        position(cursor(datetime(2020, 1, 1, tzinfo=UTC), key), str if isinstance(key, str) else int)
