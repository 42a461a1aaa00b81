"""What Prometheus is told: exact names, closed labels, zero at start, unknown for gaps, and nothing stale."""

import math
import urllib.request
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from schemas.records import Notice
from services.exporter import metrics, server
from services.exporter.collector import HouseCollector
from services.store import alerts, deliveries, feeds
from services.store.pool import Store
from tests.api import seeded
from workers.schedule import QUEUES

HOUSE = {
    "framewatch_up": [()],
    "framewatch_alerts": [
        (k, s) for k in ("burst", "coordinated", "outage", "gap") for s in ("firing", "escalated", "resolved")
    ],
    "framewatch_alerts_raised_total": [("burst",), ("coordinated",), ("outage",), ("gap",)],
    "framewatch_dropped_posts_total": [(reason,) for reason in metrics.DROPS],
    "framewatch_detector_budget_alerts_per_week": [()],
    "framewatch_detector_threshold_probability": [()],
    "framewatch_detector_threshold_theory_probability": [()],
    "framewatch_detector_replayed_alerts_per_week": [()],
    "framewatch_detector_replayed_theory_alerts_per_week": [()],
    "framewatch_detector_calibrated_timestamp_seconds": [()],
    "framewatch_detector_lag_seconds": [()],
    "framewatch_cleaned_posts_total": [(r,) for r in ("nul", "control", "surrogate", "marks", "normalised", "cut")],
    "framewatch_backlog_rows": [("collect",), ("classify",), ("rollup",), ("deliver",)],
    "framewatch_backlog_oldest_seconds": [("collect",), ("classify",), ("rollup",), ("deliver",)],
    **{
        f"framewatch_stage_{what}_total": [(s,) for s in metrics.STAGES]
        for what in ("runs", "rows", "failures", "fenced_off", "seconds")
    },
    "framewatch_deliveries": [("pending",), ("sent",), ("parked",), ("silenced",)],
    "framewatch_posts_stored": [()],
    "framewatch_posts_parked": [()],
    "framewatch_embeddings_stored": [()],
    "framewatch_partitions_ahead_seconds": [()],
}
FRAMES = {
    "framewatch_frame_posts": 2, "framewatch_frame_units": 2, "framewatch_frame_share_ratio": 2,
    "framewatch_frame_expected_units": 1, "framewatch_frame_observed_units": 1, "framewatch_frame_burst": 1,
    "framewatch_frame_state": 4, "framewatch_frame_condition": 5, "framewatch_frame_coverage_ratio": 1,
    "framewatch_frame_upper_units": 1, "framewatch_frame_judged_texts": 1,
}  # fmt: skip
FEEDS = {
    "framewatch_intake_posts_total", "framewatch_feeds", "framewatch_feeds_by_health", "framewatch_feeds_failing",
    "framewatch_feed_lag_seconds",
}  # fmt: skip


def scrape(store, now=seeded.NOW):
    registry = CollectorRegistry()
    registry.register(HouseCollector(store, now=lambda: now))
    return parsed(generate_latest(registry).decode())


def parsed(text):
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.fixture
def seen(palmyra):
    store = Store(palmyra, size=1)
    yield store
    store.close()


def test_an_empty_house_tells_every_metric_as_nought(store):
    told = scrape(store)
    assert {name: sorted(values) for name, values in told.items()} == {n: sorted(v) for n, v in HOUSE.items()}
    assert told.pop("framewatch_up") == {(): 1}
    assert told.pop("framewatch_partitions_ahead_seconds")[()] >= 3 * 86_400
    assert told.pop("framewatch_detector_budget_alerts_per_week") == {(): 1}
    for name in ("threshold", "threshold_theory"):
        assert told.pop(f"framewatch_detector_{name}_probability")[()] == pytest.approx(1 / 168)
    for name in (
        "lag_seconds",
        "replayed_alerts_per_week",
        "replayed_theory_alerts_per_week",
        "calibrated_timestamp_seconds",
    ):
        assert math.isnan(told.pop(f"framewatch_detector_{name}")[()]), name
    assert {v for values in told.values() for v in values.values()} == {0}


def test_a_full_house_tells_exactly_these_metrics(seen):
    told = scrape(seen)
    assert set(told) == set(HOUSE) | set(FRAMES) | FEEDS - {"framewatch_feed_lag_seconds"}
    for name, labels in HOUSE.items():
        assert sorted(told[name]) == sorted(labels), "no label value comes or goes"
    for name, each in FRAMES.items():
        assert len(told[name]) == 8 * each
    assert told["framewatch_posts_stored"][()] == 642
    assert told["framewatch_intake_posts_total"]["new", "jsonl"] == 642
    assert told["framewatch_feeds"]["jsonl", "ended"] == 1
    assert told["framewatch_stage_seconds_total"]["detect",] == 1.5
    assert sum(told["framewatch_alerts"].values()) == sum(told["framewatch_deliveries"].values()) > 4


def test_figures_of_a_frame_stand_in_the_streams_present(seen):
    told = scrape(seen)
    assert told["framewatch_frame_posts"]["palmyra-2016", "russia-blames-us", "24h"] == 3
    assert told["framewatch_frame_units"]["palmyra-2016", "russia-blames-us", "24h"] == 2
    assert told["framewatch_frame_share_ratio"]["palmyra-2016", "russia-blames-us", "24h"] == 0.075
    assert told["framewatch_frame_coverage_ratio"]["palmyra-2016", "liberators"] == 1
    states = {k[2]: v for k, v in told["framewatch_frame_state"].items() if k[1] == "liberators"}
    assert states == {"ok": 1, "burst": 0, "learning": 0, "insufficient coverage": 0}


def test_what_is_sent_to_us_and_what_is_listened_to_keep_nobody_waiting(store):
    long_ago = seeded.NOW - timedelta(days=3)
    with store.transaction() as tx:
        for mode in ("push", "stream"):
            feeds.add_feed(tx, source=mode, address=mode, title="", now=long_ago, interval_s=60, mode=mode)
        assert len(feeds.claim_streams(tx, limit=1, lease=timedelta(minutes=5))) == 1
    told = scrape(store)
    assert told["framewatch_backlog_rows"]["collect",] == told["framewatch_backlog_oldest_seconds"]["collect",] == 0
    assert set(told["framewatch_feed_lag_seconds"]) == {("stream",)}
    with store.transaction() as tx:
        tx.execute("update feeds set warning = 'nothing was sent', heard_until = added_at where mode = 'push'")
    assert set(scrape(store)["framewatch_feed_lag_seconds"]) == {("stream",), ("push",)}, "a sender that is silent"
    with store.transaction() as tx:
        tx.execute("update feeds set lease_until = clock_timestamp() - interval '1 s'")
    assert scrape(store)["framewatch_backlog_rows"]["collect",] == 1, "its listener is gone"


def test_what_was_not_heard_is_unknown_not_nought(store):
    version_id = seeded.add_codebook(store)
    hour = seeded.NOW.replace(minute=0, second=0)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="rss", address="a", title="", now=hour - timedelta(days=3), interval_s=60
        )
        feeds.add_heard(tx, feed_id, hour - timedelta(days=3), hour - timedelta(days=2))
        verdict = {"bucket": hour - timedelta(hours=1), "posts": 0, "units": 0, "expected": 2.0, "upper": 4.0,
                   "probability": None, "coverage": 0.0, "state": "insufficient coverage"}  # fmt: skip
        alerts.add_verdicts(tx, version_id, "liberators", [verdict])
    told = scrape(store)
    for name in ("posts", "units", "share_ratio"):
        for window in ("1h", "24h"):
            assert math.isnan(told[f"framewatch_frame_{name}"]["palmyra-2016", "liberators", window])
    assert math.isnan(told["framewatch_frame_observed_units"]["palmyra-2016", "liberators"])
    assert told["framewatch_frame_coverage_ratio"]["palmyra-2016", "liberators"] == 0
    assert told["framewatch_frame_state"]["palmyra-2016", "liberators", "insufficient coverage"] == 1
    assert told["framewatch_frame_state"]["palmyra-2016", "ruins-in-danger", "learning"] == 1
    lag = told["framewatch_feed_lag_seconds"]["rss",]
    assert lag == pytest.approx((seeded.NOW - (hour - timedelta(days=3))).total_seconds()), "never fetched: since added"


def test_how_good_a_frame_is_is_told_of_those_that_were_judged():
    quality = dict.fromkeys([field for _, field, _ in metrics.QUALITIES], 0.5) | {"judged": 9, "judged_carrying": 7}
    row = {"codebook": "c", "frame": "f", "verdict": None}
    frames = (
        {**row, "quality": quality},
        {**row, "frame": "g", "quality": {**quality, "judged": 0, "judged_carrying": 0}},
    )
    told = {m.name: {s.labels["frame"]: s.value for s in m.samples} for m in metrics._qualities(frames)}
    assert told.pop("framewatch_frame_judged_texts") == {"f": 7, "g": 0}
    assert set(told) == {f"framewatch_{name}" for name, _, _ in metrics.QUALITIES}
    assert all(values == {"f": 0.5} for values in told.values())


def test_every_stage_is_told():
    assert set(metrics.STAGES) == set(QUEUES)


def test_a_frame_that_is_gone_leaves_no_series(store):
    two = "codebook: c\ntitle: C\nframes:\n" + "".join(
        f"  - {{id: {name}, title: T, description: D, examples: [x]}}\n" for name in ("kept", "gone")
    )
    seeded.add_codebook(store, two)
    registry = CollectorRegistry()
    registry.register(HouseCollector(store, now=lambda: seeded.NOW))
    before = parsed(generate_latest(registry).decode())
    assert {key[1] for key in before["framewatch_frame_burst"]} == {"kept", "gone"}
    with store.transaction() as tx:
        tx.execute("update codebooks set state = 'retired'")
    seeded.add_codebook(store, two.rpartition("  -")[0])
    after = parsed(generate_latest(registry).decode())
    told = {key for name, values in after.items() if name.startswith("framewatch_frame_") for key in values}
    assert told
    assert all("kept" in key and "gone" not in key for key in told)
    assert set(after) == set(before)


def test_lag_is_the_worst_of_the_live_feeds_that_are_on(store):
    now = seeded.NOW
    with store.transaction() as tx:
        for i, (state, clock) in enumerate(
            [("enabled", "wall"), ("enabled", "wall"), ("paused", "wall"), ("enabled", "feed")]
        ):
            feed_id, _ = feeds.add_feed(tx, source="rss", address=str(i), title="", now=now, interval_s=9, clock=clock)
            heard = now - timedelta(minutes=1 + i)
            tx.execute("update feeds set heard_until = %s, failures = 2 where feed_id = %s", (heard, feed_id))
            feeds.set_feed_state(tx, feed_id, state, now)
    told = scrape(store)
    assert told["framewatch_feed_lag_seconds"] == {("rss",): 120}
    assert told["framewatch_feeds_failing"] == {("rss",): 3}
    assert told["framewatch_feeds"] == {("rss", "enabled"): 3, ("rss", "paused"): 1, ("rss", "ended"): 0}


def test_dropped_posts_are_one_outcome_whatever_the_reason(store):
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=seeded.NOW, interval_s=60)
        feeds.add_intake(
            tx,
            feed_id,
            {"fetched": 11, "new": 2, "dropped:no_text": 3, "dropped:too_many": 4, "dropped:not_yet_known": 2},
        )
        deliveries.add_deliveries(tx, Notice("m", "test", "s", {}), now=seeded.NOW)
    told = scrape(store)
    assert told["framewatch_intake_posts_total"]["dropped", "rss"] == 9
    assert told["framewatch_dropped_posts_total"]["no_text",] == 3
    assert told["framewatch_dropped_posts_total"]["too_many",] == 4
    assert told["framewatch_dropped_posts_total"]["other",] == 2
    assert told["framewatch_deliveries"]["silenced",] == 1


def test_without_postgres_only_up_is_told(database_url, postgres_url):
    store = Store(database_url, size=1, statement_timeout_s=5)
    store._pool.timeout = 0.5  # Patience is the pool's; here it would only make the test slow.
    assert scrape(store)["framewatch_up"] == {(): 1}
    name = database_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections false")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        assert scrape(store) == {"framewatch_up": {(): 0}}
        connection.execute(f"alter database {name} allow_connections true")
    store.close()


def test_a_database_without_schema_is_down(store):
    with store.transaction() as tx:
        tx.execute("drop table stage_runs")
    assert scrape(store) == {"framewatch_up": {(): 0}}


def test_it_serves_over_http(seen):
    httpd, thread = server.start(seen, host="127.0.0.1", port=0, now=lambda: datetime.now(UTC))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{httpd.server_port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            told = parsed(answer.read().decode())
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
    assert told["framewatch_up"] == {(): 1}
    assert set(FRAMES) < set(told)
