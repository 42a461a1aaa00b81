"""Each route answers what the store holds; a gap is null; pages are complete."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from schemas.records import Notice
from services.store import deliveries, feeds
from tests.api import seeded

V1 = "/api/v1"
KINDS = ("burst", "coordinated", "outage", "gap")
PLAIN = (
    "/healthz",
    "/readyz",
    "/frames",
    "/trends?frame=*",
    "/posts",
    "/alerts",
    "/feeds",
    "/codebooks",
    "/openapi.json",
)


def get(client, path, **params):
    answer = client.get(path if path in ("/healthz", "/readyz") else V1 + path, params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", PLAIN)
def test_every_route_answers_and_is_asked_for_again(client, path):
    full = path if path in ("/healthz", "/readyz") else V1 + path
    answer = client.get(full)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", [p for p in PLAIN if p not in ("/healthz",)])
def test_an_empty_house_answers_too(web, path):
    full = path if path == "/readyz" else V1 + path
    answer = web.get(full)
    assert answer.status_code == {"/readyz": 503, "/trends?frame=*": 404}.get(path, 200), answer.text


def test_frames_tell_the_day_before_the_present(client):
    told = get(client, "/frames")
    assert told["present"] == "2016-12-14T23:54:34Z"
    assert told["until"] == "2016-12-14T23:55:00Z"
    frames = {f["frame"]: f for f in told["frames"]}
    blames = frames["russia-blames-us"]
    assert (blames["posts"], blames["units"]) == (3, 2)
    assert blames["change"] == pytest.approx(blames["share"] - blames["previous_share"])
    assert blames["state"] == blames["verdict"]["state"] == "ok"
    assert blames["coverage"] == 1.0


def test_a_trend_has_every_step_and_a_gap_is_null(client):
    about = {"since": "2016-12-07T00:00:00Z", "until": "2016-12-08T12:00:00Z"}
    told = get(client, "/trends", frame="staged-theatrics", step="1h", **about)
    points = {p["at"]: p for p in told["points"]}
    assert len(points) == 36
    heard, gap = points["2016-12-07T05:00:00Z"], points["2016-12-07T12:00:00Z"]
    assert (heard["posts"], heard["coverage"]) == (0, 1.0)
    assert gap["coverage"] == 0
    assert [gap[k] for k in ("posts", "units", "authors", "share")] == [None] * 4
    assert gap["state"] == "insufficient coverage"
    assert heard["upper"] >= heard["expected"] > 0


@pytest.mark.parametrize(
    ("step", "seconds"), [("5m", 300), ("15m", 900), ("1h", 3600), ("6h", 21600), ("1d", 86400), ("1w", 604800)]
)
def test_steps_are_whole_and_hold_every_post(client, step, seconds):
    period = {"since": "2016-12-03T00:00:00Z"}
    told = get(client, "/trends", frame="*", step=step, **period)
    starts = [datetime.fromisoformat(p["at"]).timestamp() for p in told["points"]]
    assert {b - a for a, b in pairwise(starts)} == {seconds}
    assert starts[0] % seconds == 0
    unheard = sum(p["posts"] is None for p in told["points"])
    assert bool(unheard) == (step in ("5m", "15m", "1h", "6h"))
    assert told["points"][0]["units"] is None, "what carries no frame has no voices"
    total = sum(p["posts"] or 0 for p in told["points"])
    assert total == 642 if not unheard else 600 < total < 642, "posts dated into the gap are told by coarse steps only"
    assert told["points"][-1]["posts"] is not None


def test_what_nobody_listened_to_is_unknown_not_nought(client):
    told = get(
        client,
        "/trends",
        frame="staged-theatrics",
        step="1d",
        since="2016-11-25T00:00:00Z",
        until="2016-11-26T00:00:00Z",
    )
    (point,) = told["points"]
    assert [point[k] for k in ("posts", "units", "authors", "coverage", "share")] == [None] * 5
    several = get(client, "/trends/several", step="1d", since="2016-11-25T00:00:00Z", until="2016-12-05T00:00:00Z")
    assert several["scored"][:8] == several["frames"][0]["posts"][:8] == [None] * 8
    assert None not in several["scored"][8:]


def test_what_came_though_nobody_was_expected_is_counted(web, store):
    seeded.add_codebook(store)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="jsonl", address="a", title="", now=seeded.NOW, interval_s=9, clock="feed"
        )
    at = datetime(2016, 12, 11, 10, tzinfo=UTC)
    seeded.add_posts(store, feed_id, [(seeded.post("a", "a", at), ["liberators"])])
    about = {"step": "1d", "since": "2016-12-10T00:00:00Z", "until": "2016-12-12T00:00:00Z"}
    points = get(web, "/trends", frame="staged-theatrics", **about)["points"]
    assert [(p["posts"], p["coverage"]) for p in points] == [(None, None), (0, None)]
    several = get(web, "/trends/several", **about)
    assert several["scored"] == [None, 1]


def test_nothing_is_told_of_the_future(client):
    assert get(client, "/trends", frame="*", since="2020-01-01T00:00:00Z")["points"] == []
    assert get(client, "/trends", frame="*", until="2030-01-01T00:00:00Z")["until"] == "2016-12-15T00:00:00Z"


def test_the_filter_of_a_trend_narrows_counts_and_coverage(client):
    whole = get(client, "/trends", frame="liberators", step="1w")
    some = get(client, "/trends", frame="liberators", step="1w", lang="en", source="jsonl")
    none = get(client, "/trends", frame="liberators", step="1w", source="rss")

    def posts(told):
        return sum(p["posts"] or 0 for p in told["points"])

    assert posts(whole) > posts(some) > posts(none) == 0
    assert {p["coverage"] for p in none["points"]} == {None}


def test_stance_is_of_a_frame_and_nothing_is_told_of_it_where_nothing_was_read(client):
    points = get(client, "/trends", frame="liberators", step="1w")["points"]
    assert {p["stances"] for p in points} == {None}
    assert [p["stances"] for p in get(client, "/posts", frame="liberators")["posts"] if p["stances"]] == []
    narrowed = get(client, "/trends", frame="liberators", step="1w", stance="promotes")
    assert (narrowed["stance"], sum(p["posts"] or 0 for p in narrowed["points"])) == ("promotes", 0)
    for path in ("/trends", "/posts"):
        refused = client.get(f"{V1}{path}", params={"frame": "*", "stance": "promotes"})
        assert (refused.status_code, "name one" in refused.json()["detail"]) == (400, True)
        assert client.get(f"{V1}{path}", params={"frame": "liberators", "stance": "unsure"}).status_code == 422


def test_too_many_steps_are_refused(client):
    answer = client.get(f"{V1}/trends", params={"frame": "*", "step": "5m", "since": "2001-01-01T00:00:00Z"})
    assert answer.status_code == 400
    assert "longer step" in answer.json()["detail"]


@pytest.mark.parametrize("query", [{}, {"frame": "staged-theatrics"}, {"lang": "ru", "source": "jsonl"}])
def test_pages_of_posts_are_complete_and_without_repeats(client, query):
    whole = get(client, "/posts", limit=500, **query)
    found, cursor = [p["post_id"] for p in whole["posts"]], whole["next"]
    while cursor:
        page = get(client, "/posts", limit=500, cursor=cursor, **query)
        found, cursor = found + [p["post_id"] for p in page["posts"]], page["next"]
    small, cursor = [], ""
    while cursor is not None:
        page = get(client, "/posts", limit=97, **query, **({"cursor": cursor} if cursor else {}))
        small, cursor = small + [p["post_id"] for p in page["posts"]], page["next"]
    assert small == found
    assert len(set(found)) == len(found)
    assert len(found) == 642 if not query else 0 < len(found) < 642


def test_pages_hold_while_posts_of_one_second_arrive(web, store):
    at = seeded.NOW - timedelta(hours=1)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=at, interval_s=60)
    seeded.add_posts(store, feed_id, [(seeded.post(f"a{i}", f"text {i}", at), []) for i in range(23)], source="rss")
    found, cursor, rounds = [], None, 0
    while rounds == 0 or cursor:
        page = get(web, "/posts", limit=5, **({"cursor": cursor} if cursor else {}))
        found, cursor, rounds = found + [p["native_id"] for p in page["posts"]], page["next"], rounds + 1
        late = [(seeded.post(f"late{rounds}", "late", at), [])]
        seeded.add_posts(store, feed_id, late, source="rss")
    assert sorted(found) == sorted(f"a{i}" for i in range(23))


def test_pages_of_alerts_follow_each_other(client):
    whole = get(client, "/alerts", limit=500)["alerts"]
    assert len(whole) > 4
    small, cursor = [], None
    while not small or cursor:
        page = get(client, "/alerts", limit=2, **({"cursor": cursor} if cursor else {}))
        small, cursor = small + page["alerts"], page["next"]
    assert small == whole
    only = get(client, "/alerts", frame="staged-theatrics")["alerts"]
    assert {a["frame"] for a in only} == {"staged-theatrics"}
    going, over = (get(client, "/alerts", limit=500, over=word)["alerts"] for word in ("false", "true"))
    assert sorted(a["alert_id"] for a in going + over) == sorted(a["alert_id"] for a in whole)
    assert {a["state"] for a in over} == {"resolved"}
    assert "resolved" not in {a["state"] for a in going}
    by_kind = {kind: len(get(client, "/alerts", limit=500, kind=kind)["alerts"]) for kind in KINDS}
    assert sum(by_kind.values()) == len(whole)
    assert by_kind["burst"] > 0
    assert client.get("/api/v1/alerts", params={"kind": "nonsense"}).status_code == 422


def test_an_alert_comes_with_evidence_deliveries_and_live_counts(client):
    short = get(client, "/alerts", frame="staged-theatrics")["alerts"][0]
    told = get(client, f"/alerts/{short['alert_id']}")
    assert {k: told[k] for k in short} == short
    assert told["evidence"]["counts"]["units"] >= 5
    assert told["live"]["posts"] >= told["evidence"]["counts"]["posts"]
    assert told["live"]["since"] == told["onset"]
    assert [d["state"] for d in told["deliveries"]] == ["silenced"]


def test_the_newest_digest_is_told(web, store):
    assert web.get(f"{V1}/digests/latest").status_code == 404
    slot = datetime(2026, 1, 2, 7, tzinfo=UTC)
    with store.transaction() as tx:
        deliveries.add_digest(tx, "daily", schedule="0 7 * * *", timezone="UTC", since=slot)
        deliveries.fill_slot(tx, "daily", slot, body={"frames": []}, now=slot)
        deliveries.add_deliveries(tx, Notice("d", "digest", "s", {}), now=slot, digest="daily", slot=slot)
    told = get(web, "/digests/latest")
    assert (told["digest"], told["slot"], told["body"]) == ("daily", "2026-01-02T07:00:00Z", {"frames": []})


def test_feeds_hide_passwords(web, store):
    with store.transaction() as tx:
        feeds.add_feed(
            tx, source="rss", address="https://me:secret@example.org/x", title="", now=seeded.NOW, interval_s=60,
            options={"token": "hidden"},
        )  # fmt: skip
    text = web.get(f"{V1}/feeds").text
    assert "secret" not in text
    assert "hidden" not in text


def test_ready_names_what_is_not(web, store):
    now = datetime.now(UTC)
    seeded.ticked(store, now)
    assert get(web, "/readyz")["status"] == "ready"
    seeded.ticked(store, now - timedelta(minutes=3), stages=("detect",))
    answer = web.get("/readyz")
    assert answer.status_code == 503
    assert "detect has not run since" in answer.json()["detail"]
    assert "collect" not in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def test_ready_knows_the_schema_and_the_partitions(web, store):
    now = datetime.now(UTC)
    seeded.ticked(store, now)
    with store.transaction() as tx:
        names = tx.execute("select relname from pg_class where relname ~ '^posts_[0-9]{8}$' order by 1 desc").fetchall()
        keep = f"posts_{now + timedelta(days=1):%Y%m%d}"
        for name in (r["relname"] for r in names if r["relname"] > keep):
            tx.execute(f"drop table {name}")
    assert "partitions for 1 more day," in web.get("/readyz").json()["detail"]
    with store.transaction() as tx:
        tx.execute("delete from schema_migrations")
    assert "schema 0" in web.get("/readyz").json()["detail"]
    with store.transaction() as tx:
        tx.execute("drop table schema_migrations, stage_runs")
    assert web.get("/readyz").status_code == 503
    assert web.get("/healthz").status_code == 200


PART = re.compile(
    r"\b(probab|chance of|chance that|part of (?!before)|part that|share|limit of|nearness)", re.IGNORECASE
)
BOUNDS = re.compile(r"\b1\b")
UNIT = re.compile(
    r"number|\bid\b|version|posts|texts|voices|authors|publishers|judge|people|frames|firings|fetches|tries|days|hours|"
    r"seconds|a week|bound|0 to 1|at most 1|log odds|factor|multiplied|HTTP status|code points|alarms|sets apart|begins|ends",
    re.IGNORECASE,
)


def numeric(schema):
    return {"integer", "number"} & {kind.get("type") for kind in (schema, *schema.get("anyOf", ()))}


def test_every_number_says_what_it_counts_or_measures(client):
    """A part of one, a probability and a nearness say their bounds; anything else what there are so many of."""
    for name, schema in client.get(f"{V1}/openapi.json").json()["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            if numeric(about):
                told = about["description"]
                bounded = PART.search(told) and "og odds" not in told
                assert (BOUNDS if bounded else UNIT).search(told), f"{name}.{field}: {told}"


def test_every_field_is_described(client):
    told = client.get(f"{V1}/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    for name, schema in told["components"]["schemas"].items():
        assert schema.get("description") or "enum" in schema, name
        for field, about in schema.get("properties", {}).items():
            assert about.get("description"), f"{name}.{field}"
    for path, operations in told["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                assert parameter["description"], path
            problems = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
            assert all(list(r["content"]) == ["application/problem+json"] for r in problems.values())
