"""What forms of the console do: only from our own pages, within bounds, and said afterwards."""

import json
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from services.store import alerts, feeds, rules
from tests.api import seeded
from tests.console.test_pages import HERE, OURS, TOKEN, Page

ALERT = "ab" * 10


@pytest.fixture
def web(database_url):
    with TestClient(create_app(Settings(database_url=database_url)), base_url=HERE, follow_redirects=False) as client:
        client.headers.update(OURS)
        yield client


@pytest.fixture
def alert(store):
    """An alert of a frame that goes on."""
    version_id = seeded.add_codebook(store)
    counts = {"posts": 9, "texts": 8, "units": 7, "authors": 7, "publishers": 2, "share": 0.3}
    expected = {"units": 0.5, "upper": 2, "ratio": 14.0, "ratio_low": 5.0, "ratio_high": 29.0}
    evidence = {
        "kind": "burst", "state": "firing", "reason": "Liberators: 7 voices", "rule": "burst", "model": "labels",
        "frame": {"id": "liberators", "title": "Liberators", "description": ""}, "counts": counts, "expected": expected,
        "codebook": {"id": "palmyra-2016", "version": 1, "title": ""}, "until": seeded.NOW.isoformat(),
        "onset": (seeded.NOW - timedelta(hours=2)).isoformat(), "scored": 30, "sources": [], "languages": [], "links": [],
        "first_carriers": [], "typical": [], "terms": {}, "baseline": {},
    }  # fmt: skip
    about = {"alert_id": ALERT, "kind": "burst", "rule": "burst", "frame": "liberators", "feed_id": None}
    times = {"onset": seeded.NOW - timedelta(hours=2), "last_bucket": seeded.NOW, "now": seeded.NOW}
    with store.transaction() as tx:
        alerts.raise_alert(tx, {**about, **times, "version_id": version_id, "evidence": evidence})
    return ALERT


def row(store):
    with store.transaction() as tx:
        return alerts.read_alert(tx, ALERT)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HERE}, 403),
        ({"Origin": HERE}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Authorization": "Basic dGVhbTpzZWNyZXQ="}, 403),
        ({"Authorization": "Bearer of-a-program"}, 303),
        ({}, 403),
    ],
)
def test_only_our_own_pages_may_change_something(web, store, alert, headers, status):
    del web.headers["Sec-Fetch-Site"]
    answer = web.post(f"/alerts/{alert}/ack", headers=headers)
    assert answer.status_code == status
    assert (row(store)["acked_at"] is not None) == (status == 303)


def test_a_token_is_wanted_of_forms_too(database_url, store, alert):
    conf = Settings(database_url=database_url, api_token=TOKEN)
    with TestClient(create_app(conf), base_url=HERE, headers=OURS, follow_redirects=False) as client:
        assert client.post(f"/alerts/{alert}/ack").status_code == 401
        assert row(store)["acked_at"] is None
        assert client.post(f"/alerts/{alert}/ack", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 303


def test_an_alert_is_acknowledged_snoozed_and_resolved(web, store, alert):
    assert "Acknowledge" in web.get(f"/alerts/{alert}").text
    answer = web.post(f"/alerts/{alert}/ack")
    assert answer.headers["location"] == f"/alerts/{alert}?done=acked"
    page = Page(web.get(answer.headers["location"]).text)
    assert "nothing more is told of this alert until it is over" in page.text
    assert "acknowledged" in page.text
    assert web.post(f"/alerts/{alert}/snooze", data={"hours": "4"}).status_code == 303
    assert row(store)["snoozed_until"] is not None
    assert "snoozed until" in Page(web.get(f"/alerts/{alert}").text).text
    assert web.post(f"/alerts/{alert}/resolve").status_code == 303
    assert row(store)["state"] == "resolved"
    page = web.get(f"/alerts/{alert}").text
    assert "/ack" not in page
    assert "/resolve" not in page
    again = web.post(f"/alerts/{alert}/resolve")
    assert again.status_code == 400
    assert "is over already" in again.text


def test_a_frame_is_muted_for_a_while_and_spoken_of_again(web, store, alert):
    web.post(f"/alerts/{alert}/mute", data={"hours": "24"})
    web.post(f"/alerts/{alert}/mute", data={"hours": ""})
    with store.transaction() as tx:
        muted = rules.list_mutes(tx, seeded.NOW)
    assert [(m["frame"], m["until"]) for m in muted] == [("liberators", None)], "the second takes the first's place"
    assert "The frame is muted for good" in Page(web.get(f"/alerts/{alert}").text).text
    assert "liberators" in web.get("/alerts").text
    web.post(f"/alerts/{alert}/unmute")
    with store.transaction() as tx:
        assert rules.list_mutes(tx, seeded.NOW) == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("snooze", b"hours=1000000", 400),
        ("snooze", b"hours=", 400),
        ("snooze", b"", 400),
        ("mute", b"hours=-1", 400),
        ("burn", b"", 404),
        ("ack", b"x=" + b"y" * 5000, 400),
        ("ack", b"\xff\xfe", 400),
        ("ack", b"&".join(b"a=b" for _ in range(200)), 400),
    ],
)
def test_a_form_that_is_not_ours_in_shape_changes_nothing(web, store, alert, path, body, status):
    answer = web.post(f"/alerts/{alert}/{path}", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    found = row(store)
    assert (found["acked_at"], found["snoozed_until"]) == (None, None)


@pytest.mark.parametrize("alert_id", ["nope", "00" * 10, "%00"])
def test_an_alert_that_is_not_there_cannot_be_acted_on(web, alert_id):
    assert web.post(f"/alerts/{alert_id}/ack").status_code == 404
    assert web.post(f"/alerts/{alert_id}/mute", data={"hours": "1"}).status_code == 404


def test_an_alert_goes_out_as_json(web, alert):
    answer = web.get(f"/alerts/{alert}.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    told = json.loads(answer.text)
    assert told["alert_id"] == alert
    assert told["evidence"]["counts"]["units"] == 7


def test_what_was_done_is_said_in_our_words_only(web):
    assert "Paused: its silence is no gap." in web.get("/feeds?done=paused").text
    assert "evil" not in web.get("/feeds?done=evil").text


def test_alerts_are_filtered_and_paged(web, store, alert):
    assert ALERT in web.get("/alerts?state=open&kind=burst&frame=liberators").text
    for other in ("state=over", "kind=outage", "frame=nope", "before=2001-01-01T00:00:00%2B00:00_" + ALERT):
        assert f"/alerts/{ALERT}" not in web.get(f"/alerts?{other}").text
    for odd in (
        "before=x",
        "before=2001-01-01_" + ALERT,
        "kind=x",
        "state=%ED%A0%80",
        "frame=" + "x" * 999,
        "before=_",
    ):
        assert web.get(f"/alerts?{odd}").status_code == 200
    for odd in ("kind=%00", "frame=%00", "%00=1", "before=2001-01-01T00:00:00%2B00:00_%00"):
        assert web.get(f"/alerts?{odd}").status_code == 404


@pytest.fixture
def feed(store):
    with store.transaction() as tx:
        about = {"source": "rss", "address": "https://a.example/feed", "now": seeded.NOW, "interval_s": 900}
        return feeds.add_feed(tx, title="A", **about)[0]


def test_a_feed_is_paused_and_enabled(web, store, feed):
    def states():
        with store.transaction() as tx:
            (only,) = feeds.list_feeds(tx)
            expected = tx.execute("select count(*) as n from expected_spans where ends_at is null").fetchone()
        return only["state"], expected["n"]

    assert web.post("/feeds", data={"feed": str(feed), "state": "paused"}).headers["location"] == "/feeds?done=paused"
    assert states() == ("paused", 0)
    web.post("/feeds", data={"feed": str(feed), "state": "enabled"})
    assert states() == ("enabled", 1)
    for data in ({"feed": "x", "state": "paused"}, {"feed": str(feed), "state": "ended"}, {}):
        assert web.post("/feeds", data=data).status_code == 400
    assert web.post("/feeds", data={"feed": "99999", "state": "paused"}).status_code == 404
    assert states() == ("enabled", 1)


def test_feeds_say_what_is_wrong_in_plain_words(web, store, feed):
    with store.transaction() as tx:
        tx.execute("update feeds set failures = 3, last_reason = 'tls', last_error = 'CERTIFICATE_VERIFY_FAILED'")
    page = Page(web.get("/feeds").text)
    assert "1 feed needs a look" in page.text
    assert "Failed 3 times in a row: its server's certificate is not valid. It was never heard." in page.text
    assert "CERTIFICATE_VERIFY_FAILED" in page.text
