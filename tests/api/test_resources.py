"""Rules, mutes, feeds, channels and single things over HTTP: what is asked is done to rows, what cannot be is said."""

from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from services.store import deliveries, feeds
from tests.api import seeded
from tests.api.conftest import HERE

V1 = "/api/v1"


@pytest.fixture
def desk(store, database_url, tmp_path):
    seeded.add_codebook(store)
    conf = Settings(database_url=database_url, home=str(tmp_path), allow_networks="127.0.0.1")
    (tmp_path / "files").mkdir()
    with TestClient(create_app(conf), base_url=HERE) as client:
        yield client


def test_a_rule_is_saved_read_and_forgotten(desk):
    assert [r["name"] for r in desk.get(f"{V1}/rules").json()["rules"]] == ["burst"]
    saved = desk.put(f"{V1}/rules/staged", json={"frame": "staged-theatrics", "min_posts": 9}).json()
    assert (saved["name"], saved["min_posts"], saved["saved"]) == ("staged", 9, True)
    assert saved["min_authors"] == 3, "what is left out is as in the settings"
    rules = {r["name"]: r for r in desk.get(f"{V1}/rules").json()["rules"]}
    assert rules["staged"] == saved
    assert rules["burst"]["saved"] is False
    assert desk.delete(f"{V1}/rules/staged").status_code == 204
    assert desk.delete(f"{V1}/rules/staged").status_code == 404


@pytest.mark.parametrize(
    ("name", "terms", "status"),
    [
        ("staged", {"frame": "nope"}, 400), ("staged", {"channels": ["nobody"]}, 400), ("staged", {"min_posts": 0}, 422),
        ("staged", {"fame": 1}, 422), ("Staged!", {}, 422), ("staged", {"min_posts": 2, "min_authors": 3}, 422),
        ("staged", {"quiet": "whenever"}, 400),
    ],
)  # fmt: skip
def test_an_impossible_rule_is_not_saved(desk, name, terms, status):
    answer = desk.put(f"{V1}/rules/{name}", json=terms)
    assert answer.status_code == status, answer.text
    assert len(desk.get(f"{V1}/rules").json()["rules"]) == 1


def test_a_frame_is_muted_and_spoken_of_again(desk):
    until = (datetime.now().astimezone() + timedelta(hours=2)).isoformat()
    made = desk.post(f"{V1}/mutes", json={"frame": "staged-theatrics", "until": until})
    assert made.status_code == 201
    assert desk.get(f"{V1}/mutes").json()["mutes"] == [made.json()]
    assert desk.delete(f"{V1}/mutes/{made.json()['mute_id']}").status_code == 204
    assert desk.get(f"{V1}/mutes").json()["mutes"] == []
    assert desk.delete(f"{V1}/mutes/{made.json()['mute_id']}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status"),
    [({}, 422), ({"frame": "a", "feed_id": 1}, 422), ({"frame": "nope"}, 404), ({"feed_id": 99}, 404),
     ({"frame": "staged-theatrics", "until": "2001-01-01T00:00:00Z"}, 400)],
)  # fmt: skip
def test_what_is_not_there_cannot_be_muted(desk, asked, status):
    assert desk.post(f"{V1}/mutes", json=asked).status_code == status


def test_a_feed_is_added_paused_resumed_and_forgotten(desk, store):
    asked = {"address": "https://example.org/feed.xml", "title": "Mine", "interval_s": 600}
    made = desk.post(f"{V1}/feeds", json=asked)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["source"], told["title"], told["interval_s"], told["state"]) == ("rss", "Mine", 600, "enabled")
    again = desk.post(f"{V1}/feeds", json=asked)
    assert (again.status_code, again.json()["feed_id"]) == (200, told["feed_id"])
    one = f"{V1}/feeds/{told['feed_id']}"
    assert desk.post(f"{one}/pause").json()["state"] == "paused"
    with store.transaction() as tx:
        spans = feeds.spans(tx, seeded.NOW - timedelta(days=1), seeded.NOW + timedelta(days=1))
    assert all(s["ends_at"] for s in spans if s["kind"] == "expected"), "a paused feed is not expected"
    assert desk.post(f"{one}/resume").json()["state"] == "enabled"
    health = desk.get(one).json()
    assert (health["lag_s"], health["intake"]) == (None, {})
    assert desk.delete(one).status_code == 204
    assert [desk.request(m, p).status_code for m, p in (("GET", one), ("POST", f"{one}/pause"), ("DELETE", one))] == [
        404
    ] * 3


@pytest.mark.parametrize(
    "asked",
    [{"address": "what is this"}, {"address": "x", "kind": "nothing"}, {"address": "https://e.org/f.xml", "listen": True},
     {"address": "https://e.org/f.xml", "options": {"a": "\0"}}],
)  # fmt: skip
def test_what_is_no_feed_is_refused(desk, asked):
    answer = desk.post(f"{V1}/feeds", json=asked)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["detail"]) > 20


def test_a_feed_is_tried_and_nothing_is_stored(desk, store, tmp_path):
    (tmp_path / "files" / "posts.jsonl").write_text('{"id": 1, "text": "Hello"}\n{"id": 2}\n')
    told = desk.post(f"{V1}/feeds/check", json={"address": "posts.jsonl", "kind": "jsonl"}).json()
    assert [p["text"] for p in told["posts"]] == ["Hello"]
    assert (told["dropped"], told["reason"]) == ({"no_text": 1}, None)
    missing = desk.post(f"{V1}/feeds/check", json={"address": "http://127.0.0.2:9/feed.xml"}).json()
    assert missing["reason"] == "blocked_address"
    with store.transaction() as tx:
        assert feeds.list_feeds(tx) == []
        assert tx.execute("select count(*) as n from post_keys").fetchone()["n"] == 0


def test_channels_hide_their_secrets_and_say_whether_they_take_a_message(desk, store):
    config = {"url": "http://127.0.0.1:9/hook", "secret": "whsec_" + "c2VjcmV0" * 5}
    with store.transaction() as tx:
        deliveries.add_channel(tx, "team", "webhook", config)
    text = desk.get(f"{V1}/channels").text
    assert '"team"' in text
    assert "c2VjcmV0" not in text
    told = desk.post(f"{V1}/channels/team/test").json()
    assert (told["taken"], told["reason"]) == (False, "unreachable")
    assert desk.post(f"{V1}/channels/nobody/test").status_code == 404


def test_several_frames_share_one_axis_and_gaps_are_null(client):
    about = {"since": "2016-12-06T00:00:00Z", "until": "2016-12-09T00:00:00Z", "step": "1h"}
    told = client.get(f"{V1}/trends/several", params=about).json()
    assert len(told["at"]) == len(told["coverage"]) == len(told["scored"]) == 72
    gap = told["coverage"].index(0)
    for frame in told["frames"]:
        assert len(frame["share"]) == len(frame["posts"]) == 72
        assert frame["posts"][gap] is None
        alone = client.get(f"{V1}/trends", params={**about, "frame": frame["frame"]}).json()["points"]
        assert [p["posts"] for p in alone] == frame["posts"]
        assert [p["share"] for p in alone] == frame["share"]
    two = client.get(f"{V1}/trends/several", params={**about, "frame": ["liberators", "staged-theatrics"]}).json()
    assert {f["frame"] for f in two["frames"]} == {"liberators", "staged-theatrics"}
    assert client.get(f"{V1}/trends/several", params={"frame": ["liberators", "nope"]}).status_code == 404


def test_one_post_is_told_as_lists_tell_it(client):
    listed = client.get(f"{V1}/posts", params={"limit": 1, "frame": "staged-theatrics"}).json()["posts"][0]
    assert client.get(f"{V1}/posts/{listed['post_id']}").json() == listed
    assert client.get(f"{V1}/posts/{2**62}").status_code == 404


def test_evidence_is_rechecked(client):
    alert = client.get(f"{V1}/alerts", params={"frame": "staged-theatrics"}).json()["alerts"][0]["alert_id"]
    told = client.get(f"{V1}/alerts/{alert}/recheck").json()
    assert told["alert_id"] == alert
    assert {"late_arrivals", "deleted_since"} == told["causes"].keys()
    assert client.get(f"{V1}/alerts/nope/recheck").status_code == 404


def test_a_digest_is_previewed_and_nothing_is_kept(client):
    told = client.get(f"{V1}/digests/preview").json()
    assert told["body"]["codebook"]
    assert client.get(f"{V1}/digests").json() == {"digests": []}
    assert client.get(f"{V1}/digests/latest").status_code == 404
