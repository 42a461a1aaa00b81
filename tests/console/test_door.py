"""Who gets in with what, and what each may do: the same scopes as in the API, deny by default, and sessions that end."""

from datetime import timedelta

import pytest
from starlette.routing import Match
from starlette.testclient import TestClient

from schemas.scopes import granted
from services.console import create_console, routing, sign_in
from services.console.session import COOKIE
from services.store import alerts, sessions, tokens
from tests.api import seeded
from tests.console.test_doing import ALERT, alert
from tests.console.test_pages import HERE, OURS, TOKEN

__all__ = ["alert"]
TOKENS = {scope: tokens.assemble(bytes([i] * 6), f"{scope:x<43}") for i, scope in enumerate(("read", "write", "push"))}
BUTTONS = ("/ack", "/snooze", "/resolve", "/mute")


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.at = seeded.NOW

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(store, alert, clock, monkeypatch):
    """The console of a guarded house, and a token of each scope."""
    monkeypatch.setattr(sign_in, "DELAY_S", 0)
    with store.transaction() as tx:
        for scope, token in TOKENS.items():
            tokens.add_token(tx, token, name=f"ann-{scope}", scopes=[scope], now=seeded.NOW)
    app = create_console(store, now=clock, token=TOKEN)
    with TestClient(app, base_url=HERE, headers=OURS, follow_redirects=False) as client:
        yield client


def signed_in(door, token):
    answer = door.post("/sign-in", data={"token": token, "onward": "/alerts?kind=burst"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/alerts?kind=burst"
    return door


def test_a_reader_sees_everything_and_is_offered_nothing_else(door, store):
    page = signed_in(door, TOKENS["read"]).get(f"/alerts/{ALERT}").text
    assert "ann-read" in page
    assert not [button for button in BUTTONS if f"{ALERT}{button}" in page]
    assert "Export JSON" in page
    for path in ("/", "/posts", "/feeds", "/explore", "/suggestions", "/judge", "/codebook"):
        answer = door.get(path)
        assert answer.status_code == 200, path
        forms = [f for f in ("/feeds/add", "/suggestions/run", "/judge/draw", "/codebook/apply") if f in answer.text]
        assert forms == [], path
    answer = door.post(f"/alerts/{ALERT}/ack")
    assert answer.status_code == 403
    assert "takes one with the scope write" in answer.text
    with store.transaction() as tx:
        assert alerts.read_alert(tx, ALERT)["acked_at"] is None


def test_a_writer_acts_under_its_name_and_changes_no_feed(door, store):
    page = signed_in(door, TOKENS["write"]).get(f"/alerts/{ALERT}").text
    assert all(f"{ALERT}{button}" in page for button in BUTTONS)
    assert door.post(f"/alerts/{ALERT}/ack").status_code == 303
    assert "acknowledged by ann-write" in door.get(f"/alerts/{ALERT}").text
    for path in ("/feeds", "/feeds/add", "/codebook/apply", "/codebook/rollback"):
        assert door.post(path).status_code == 403, path
    assert "/feeds/add" not in door.get("/feeds").text


def test_the_operator_may_do_everything(door):
    page = signed_in(door, TOKEN).get("/feeds").text
    assert "operator" in page
    assert "/feeds/add" in page
    assert door.post("/feeds/add", data={"address": "https://example.org/feed"}).status_code == 303


@pytest.mark.parametrize("token", ["wrong", "", TOKENS["read"][:-1] + "y", "fw_" + "0" * 12 + "_" + "a" * 43])
def test_what_is_no_token_lets_nobody_in(door, token):
    answer = door.post("/sign-in", data={"token": token})
    assert answer.status_code == 401
    assert "no token that is in force" in answer.text
    assert COOKIE not in answer.cookies
    assert door.get("/").status_code == 401


def test_a_token_for_sending_posts_does_not_open_the_console(door):
    answer = door.post("/sign-in", data={"token": TOKENS["push"]})
    assert answer.status_code == 401
    assert "sending posts only" in answer.text
    assert door.get("/", headers={"Authorization": f"Bearer {TOKENS['push']}"}).status_code == 403


def test_a_session_is_a_digest_and_ends_when_signed_out(door, store):
    signed_in(door, TOKENS["read"])
    word = door.cookies[COOKIE]
    with store.transaction() as tx:
        row = tx.execute("select *, digest::text as told from sessions").fetchone()
    assert word not in str(row)
    assert TOKENS["read"] not in str(row)
    assert door.get("/").status_code == 200
    assert door.post("/sign-out").status_code == 303
    door.cookies.set(COOKIE, word)
    assert door.get("/").status_code == 401, "the word is worth nothing once signed out"


def test_a_revoked_token_signs_out_whoever_holds_it(door, store):
    signed_in(door, TOKENS["write"])
    with store.transaction() as tx:
        tokens.revoke_token(tx, "ann-write", seeded.NOW)
    assert door.get("/").status_code == 401


def test_a_changed_operator_token_signs_its_holders_out(door, store, clock):
    signed_in(door, TOKEN)
    word = door.cookies[COOKIE]
    app = create_console(store, now=clock, token="another-secret")
    with TestClient(app, base_url=HERE, cookies={COOKIE: word}) as other:
        assert other.get("/").status_code == 401


def test_a_session_ends_unused_and_in_any_case(door, store, clock):
    signed_in(door, TOKENS["read"])
    for _ in range(3):
        clock.at += sessions.IDLE - timedelta(minutes=1)
        assert door.get("/").status_code == 200, "each page keeps it"
    clock.at += sessions.IDLE
    assert door.get("/").status_code == 401
    signed_in(door, TOKENS["read"])
    until = clock.at + sessions.LASTS
    while clock.at + sessions.IDLE < until:
        clock.at += sessions.IDLE - timedelta(minutes=1)
        assert door.get("/").status_code == 200
    clock.at = until
    assert door.get("/").status_code == 401
    signed_in(door, TOKENS["read"])
    with store.transaction() as tx:
        assert tx.execute("select count(*) as n from sessions").fetchone()["n"] == 1, (
            "those that are over are forgotten"
        )


def test_no_form_is_open_because_nobody_said_so():
    known = {
        "write": {"/alerts/{alert_id}/{action}", "/suggestions/run", "/suggestions/{suggestion_id}/{decision}", "/judge",
                  "/judge/draw"},
        "read": {"/codebook/preview", "/explore/save", "/explore", "/judge/name"},
    }  # fmt: skip
    forms = {page.path: page.needs for page in routing.PAGES if page.methods == {"POST"}}
    for scope, paths in known.items():
        assert {path for path, needs in forms.items() if needs == scope} == paths
    others = {path for path, needs in forms.items() if needs is None} - {"/sign-in", "/sign-out"}
    assert others == {"/feeds", "/feeds/add", "/codebook/apply", "/codebook/rollback"}
    assert "write" not in granted(("read",))
    asked = {"type": "http", "path": "/alerts/x/ack", "method": "GET", "headers": []}
    assert not [page for page in routing.PAGES if page.matches(asked)[0] is Match.FULL and page.needs == "write"]


def test_signing_in_is_for_our_own_form(door):
    del door.headers["Sec-Fetch-Site"]
    evil = {"Sec-Fetch-Site": "cross-site"}
    assert door.post("/sign-in", data={"token": TOKEN}, headers=evil).status_code == 403
    signed = door.post("/sign-in", data={"token": TOKEN}, headers=OURS)
    assert signed.status_code == 303
    assert "samesite=lax" in signed.headers["set-cookie"].lower()
    assert "httponly" in signed.headers["set-cookie"].lower()
    assert door.post("/sign-out", headers=evil).status_code == 403
    assert door.get("/").status_code == 200, "another site signs nobody out"
