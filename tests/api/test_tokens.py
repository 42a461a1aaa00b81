"""Tokens over real rows: shown once, good for what they say and no more, gone at once; and how often they may ask."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from schemas.scopes import SCOPES, granted
from services import cli
from services.analysis.limiting import Bucket, Pace, take
from services.api import create_api
from services.api.callers import is_open, scope_of
from services.store import tokens
from services.store.pool import Store
from tests.api import seeded

TOKEN = "the-operators-own"
KINDS = [("read",), ("write",), ("push",), ("admin",)]


class Desk:
    """The API of one database, a clock that tests move, and tokens made at will."""

    def __init__(self, store: Store, rate: int = 0) -> None:
        self.now, self.store, self.made = seeded.NOW, store, 0
        self.api = create_api(
            store, now=lambda: self.now, intake=lambda: None, token=TOKEN, rate=rate, stopping=lambda: True
        )
        self.client = TestClient(self.api, raise_server_exceptions=False)

    def token(self, *scopes, name="", **about):
        self.made += 1
        token = tokens.assemble(self.made.to_bytes(6, "big"), "x" * 43)
        with self.store.transaction() as tx:
            tokens.add_token(tx, token, name=name or f"t{self.made}", scopes=scopes, now=self.now, **about)
        return token

    def ask(self, token, path="/api/v1/frames", method="GET"):
        return self.client.request(method, path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def desk(store):
    return Desk(store)


def routes(api):
    """Every route there is with its methods and path."""
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        path = getattr(context, "path", None) or route.path
        for method in sorted(route.methods or ()):
            yield method, re.sub(r"\{[^}]*\}", "7", path), route


def test_every_route_is_closed_to_who_has_no_right(store):
    """Walks what the app really has: a route that forgot to ask would answer something else than 401 or 403."""
    desk = Desk(store)
    given_out = {kind: desk.token(*kind) for kind in KINDS}
    walked = 0
    for method, path, route in routes(desk.api):
        if is_open(path):
            continue
        walked += 1
        assert desk.client.request(method, path).status_code == 401, (method, path)
        for kind, token in given_out.items():
            status = desk.ask(token, path, method).status_code
            if not hasattr(route, "openapi_extra"):  # the document itself: any token
                assert status == 200, (method, path)
            elif scope_of(route, method) in granted(kind):
                assert status not in (401, 403), (method, path, kind)
            else:
                assert status in (403, 422), (method, path, kind)
    assert walked > 15


def test_what_each_scope_includes():
    assert granted(("read",)) == {"read"}
    assert granted(("write",)) == {"read", "write"}
    assert granted(("push",)) == {"push"}
    assert granted(("admin",)) == set(SCOPES)


def test_writes_need_more_than_read_unless_the_route_says_so():
    class Plain:
        openapi_extra = None

    assert [scope_of(Plain(), m) for m in ("GET", "POST", "PUT", "DELETE", "PATCH")] == ["read", *["admin"] * 4]


def test_a_token_is_kept_as_a_digest_only(desk):
    token = desk.token("read")
    with desk.store.transaction() as tx:
        dump = str(tx.execute("select * from tokens").fetchall())
    assert token not in dump
    assert "x" * 43 not in dump


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1] + "y", lambda t: t[:-1], lambda t: t + "x", str.upper, lambda t: ""]
)
def test_nearly_the_token_is_not_the_token(desk, change):
    token = desk.token("read")
    assert desk.ask(token).status_code == 200
    assert desk.ask(change(token)).status_code == 401


def test_a_token_ends_when_it_says_and_when_it_is_revoked(desk):
    short, long = desk.token("read", expires_at=desk.now + timedelta(days=1)), desk.token("read", name="long")
    assert desk.ask(short).status_code == 200
    desk.now += timedelta(days=1)
    assert desk.ask(short).status_code == 401
    assert desk.ask(long).status_code == 200
    with desk.store.transaction() as tx:
        assert tokens.revoke_token(tx, "long", desk.now)["name"] == "long"
        assert tokens.revoke_token(tx, "long", desk.now) is None
    assert desk.ask(long).status_code == 401
    assert desk.token("read", name="long"), "a revoked token's name is free"


def test_the_last_use_is_known_to_the_minute(desk):
    token = desk.token("read")

    def used():
        with desk.store.transaction() as tx:
            return tokens.list_tokens(tx)[0]["last_used_at"]

    first = desk.now
    desk.ask(token)
    desk.now += timedelta(seconds=59)
    desk.ask(token)
    assert used() == first
    desk.now += timedelta(seconds=1)
    desk.ask(token)
    assert used() == desk.now


def test_who_wrote_is_logged_by_name(desk, caplog):
    token = desk.token("write", name="anna")
    with caplog.at_level("INFO", "framewatch.api"):
        desk.ask(token, "/api/v1/alerts/abc/ack", "POST")
        desk.ask(token)
    (record,) = [r for r in caplog.records if r.message == "api_write"]
    assert (record.caller, record.method, record.path) == ("anna", "POST", "/api/v1/alerts/abc/ack")


def test_who_asks_too_often_is_told_when_to_come_back(store):
    desk = Desk(store, rate=60)
    eager, calm = desk.token("read"), desk.token("read")
    assert [desk.ask(eager).status_code for _ in range(61)] == [200] * 60 + [429]
    answer = desk.ask(eager)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["reason"], answer.headers["retry-after"]) == ("rate_limited", "1")
    assert desk.ask(calm).status_code == 200, "everybody has a bucket of their own"
    desk.now += timedelta(seconds=1)
    assert [desk.ask(eager).status_code for _ in range(2)] == [200, 429]


def test_guessing_is_slowed_down_and_the_operator_is_not(desk):
    guess = tokens.assemble(b"\7" * 6, "g" * 43)
    assert [desk.ask(guess).status_code for _ in range(21)] == [401] * 20 + [429]
    assert desk.ask(TOKEN).status_code == 200
    desk.now += timedelta(seconds=2)
    assert desk.ask(guess).status_code == 401


def test_an_open_house_still_honours_what_a_token_may_do(store):
    desk = Desk(store)
    token = desk.token("read")
    house = TestClient(create_api(store, now=lambda: desk.now, intake=lambda: None), raise_server_exceptions=False)
    ack = "/api/v1/alerts/abc/ack"
    assert house.post(ack, json={}).status_code == 404
    assert house.post(ack, json={}, headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert house.post(ack, json={}, headers={"Authorization": "Bearer whatever"}).status_code == 404


def test_the_document_says_which_scope_each_operation_needs(desk):
    told = desk.ask(TOKEN, "/api/v1/openapi.json").json()["paths"]
    assert told["/api/v1/frames"]["get"]["security"] == [{"token": ["read"]}]
    assert told["/api/v1/posts"]["post"]["security"] == [{"token": ["push"]}]
    assert told["/healthz"]["get"]["security"] == []


def test_another_site_is_never_invited(desk):
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = desk.client.request(method, "/api/v1/frames", headers=headers | {"Authorization": f"Bearer {TOKEN}"})
        assert not [h for h in answer.headers if h.startswith("access-control")]


@given(
    steps=st.lists(st.floats(-5, 100, allow_nan=False), max_size=60),
    pace=st.builds(Pace, st.floats(0.01, 50), st.floats(1, 100)),
)
def test_a_bucket_never_gives_more_than_its_pace(steps, pace):
    bucket, at, latest, passed = None, 0.0, 0.0, 0
    for step in steps:
        at += step
        latest = max(latest, at)
        bucket, wait = take(bucket, at, pace)
        assert wait >= 0
        assert 0 <= bucket.left <= pace.burst
        passed += wait == 0
    moved = sum(max(s, 0) for s in steps)
    assert passed <= pace.burst + moved * pace.per_second + 1e-6


def test_waiting_as_long_as_told_is_enough():
    pace = Pace.a_minute(60)
    bucket, wait = take(Bucket(0.25, 100.0), 100.0, pace)
    assert wait == pytest.approx(0.75)
    assert take(bucket, 100.0 + wait, pace)[1] == 0


# the command line


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path))

    def go(*arguments):
        return CliRunner().invoke(cli.cli, ["tokens", *arguments])

    return go


def test_a_token_of_the_command_line_opens_the_api(run, store):
    made = run("create", "grafana", "--scope", "read", "--until", "30d", "--json")
    token = json.loads(made.stdout)["token"]
    desk = Desk(store)
    desk.now = datetime.now(UTC)
    assert desk.ask(token).status_code == 200
    listed = run("list", "--json").stdout
    assert token not in listed
    assert json.loads(listed)[0]["scopes"] == ["read"]
    assert "grafana" in run("list").stdout
    assert run("revoke", "grafana").exit_code == 0
    assert desk.ask(token).status_code == 401
    assert "revoked" in run("list").stdout


def test_the_token_alone_stands_on_standard_output(run):
    made = run("create", "plain")
    assert tokens.looks_ours(made.stdout.strip())
    assert "only time" in made.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "operator"), "cannot be a token's name"),
        (("create", "a b"), "cannot be a token's name"),
        (("create", "x", "--until", "2001-01-01T00:00Z"), "still to come"),
        (("revoke", "nobody"), "tokens list"),
    ],
)
def test_what_cannot_be_is_said_with_the_way_out(run, arguments, words):
    assert words in str(run(*arguments).exception)


def test_a_name_is_taken_once(run):
    assert run("create", "twice").exit_code == 0
    assert "tokens revoke twice" in str(run("create", "twice").exception)
