"""What is told to Prometheus: each metric with its help text and closed labels, from figures already read. No I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.metrics_core import Metric

from schemas.stance import ANSWERS
from services.analysis.conditions import CONDITIONS
from services.analysis.health import MEANINGS, ORDER, health
from services.exporter import detection
from services.exporter.families import counter, gauge, known

Row = Mapping[str, Any]

DAY_S = 86_400
STATES = ("learning", "insufficient coverage", "ok", "burst")
WINDOWS = ("1h", "24h")
STAGES = (
    "collect", "listen", "classify", "rescore", "rollup", "detect", "deliver", "digest", "subscribe", "recheck",
    "suggest", "upkeep",
)  # fmt: skip
WAITING = ("collect", "classify", "rollup", "deliver")
OUTCOMES = ("fetched", "new", "duplicate", "edited", "dropped", "erased")
CLEANED = ("nul", "control", "surrogate", "marks", "normalised", "cut")
DROPS = (
    "no_identity", "no_text", "no_post", "no_consent", "not_public", "not_asked", "denied_author", "bad_line",
    "bad_event", "bad_signature", "too_many", "too_large", "cut_off", "other",
)  # fmt: skip
"""Why an item could not become a post; a reason that is not named here counts as `other`."""
KINDS = ("burst", "coordinated", "outage", "gap")
ALERTS = tuple((kind, state) for kind in KINDS for state in ("firing", "escalated", "resolved"))
DELIVERIES = ("pending", "sent", "parked", "silenced")
FEEDS = ("enabled", "paused", "ended")
_HEALTH = "; ".join(f"{word}, {meaning}" for word, meaning in MEANINGS.items())


@dataclass(frozen=True, slots=True)
class Figures:
    """One reading of the house."""

    wall: datetime
    frames: tuple[Row, ...]
    """Rows of codebook, frame, verdict (or None), quality (or None), stances (posts by stance in the last 24 h, or None
    where stance is off) and windows: posts, units, share by window."""
    alerts: tuple[Row, ...]
    intake: tuple[Row, ...]
    backlog: tuple[Row, ...]
    stages: tuple[Row, ...]
    deliveries: tuple[Row, ...]
    feeds: tuple[Row, ...]
    sizes: Row
    partition_days_ahead: int
    detector: Row
    """budget, threshold and threshold_by_theory; alarms and alarms_by_theory, a week of the replayed past, and when it
    was replayed (calibrated_at); how far detection is behind the present (lag_seconds). None before there is any."""


def up(*, alive: bool) -> Metric:
    """Whether the rest could be read."""
    return gauge("up", "1 when Postgres could be asked for this scrape, else 0 and nothing else is told.", value=alive)


def describe(figures: Figures) -> Iterator[Metric]:
    """Every metric but `up`."""
    yield from _windows(figures.frames)
    yield from _verdicts(figures.frames)
    yield from _qualities(figures.frames)
    yield from _stances(figures.frames)
    yield from detection.describe(figures.detector)
    yield from _alerts(figures)
    yield from _intake(figures)
    yield from _stages(figures.stages)
    yield from _feeds(figures)
    yield from _size(figures)


def _windows(frames: Iterable[Row]) -> Iterator[Metric]:
    labels, unknown = ("codebook", "frame", "window"), "NaN when nothing was heard in it."
    told = {
        "posts": gauge(
            "frame_posts", f"Posts that carry the frame in the window before the present; {unknown}", labels
        ),
        "units": gauge(
            "frame_units",
            f"Independent voices that carry the frame in the window before the present; {unknown}",
            labels,
        ),
        "share": gauge(
            "frame_share_ratio",
            "Part of all scored posts that carry the frame in the window, 0 to 1; NaN of nothing.",
            labels,
        ),
    }
    for row in frames:
        for window in WINDOWS:
            for name, metric in told.items():
                metric.add_metric([row["codebook"], row["frame"], window], known(row["windows"][window][name]))
    yield from told.values()


def _verdicts(frames: Iterable[Row]) -> Iterator[Metric]:
    labels = ("codebook", "frame")
    expected = gauge(
        "frame_expected_units", "Voices the past explains for the last closed hour; NaN if unknown.", labels
    )
    upper = gauge(
        "frame_upper_units", "Most voices the last closed hour may have without being a burst; NaN if unknown.", labels
    )
    observed = gauge("frame_observed_units", "Voices counted in the last closed hour; NaN if it was not heard.", labels)
    covered = gauge(
        "frame_coverage_ratio",
        "Part of expected feed time heard in the last closed hour, 0 to 1; NaN if none was.",
        labels,
    )
    burst = gauge("frame_burst", "1 while the last closed hour is one the past cannot explain, else 0.", labels)
    state = gauge(
        "frame_state", "1 for the verdict on the last closed hour alone, 0 for the others.", (*labels, "state")
    )
    told = gauge(
        "frame_condition",
        "1 for what people are told of the frame, 0 for the others: on alert while an alert of it goes on.",
        (*labels, "condition"),
    )
    for row in frames:
        verdict, key = row["verdict"] or {}, [row["codebook"], row["frame"]]
        judged = verdict.get("state", "learning")
        expected.add_metric(key, known(verdict.get("expected")))
        upper.add_metric(key, known(verdict.get("upper")))
        observed.add_metric(key, known(verdict.get("units")))
        covered.add_metric(key, known(verdict.get("coverage")))
        burst.add_metric(key, float(judged == "burst"))
        for name in STATES:
            state.add_metric([*key, name], float(judged == name))
        for word in CONDITIONS:
            told.add_metric([*key, word], float(row["condition"] == word))
    yield from (expected, upper, observed, burst, state, told, covered)


QUALITIES = (
    ("frame_precision_ratio", "precision", "Part of what carries the frame that people said does, 0 to 1"),
    ("frame_precision_low_ratio", "precision_low", "Lower limit of precision's 95% interval, 0 to 1"),
    ("frame_precision_high_ratio", "precision_high", "Upper limit of precision's 95% interval, 0 to 1"),
    ("frame_recall_ratio", "recall", "Part of what carries the frame by people's word that is found, 0 to 1"),
    ("frame_recall_low_ratio", "recall_low", "Lower limit of recall's 95% interval, 0 to 1"),
    ("frame_recall_high_ratio", "recall_high", "Upper limit of recall's 95% interval, 0 to 1"),
    ("frame_agreement_alpha", "alpha", "Krippendorff's alpha of those who judged the same texts, at most 1"),
    ("frame_agreement_kappa", "kappa", "Cohen's kappa of the two people who judged, -1 to 1"),
)
"""How good a frame is, as people judged: metric, field of its quality, help."""


def _qualities(frames: Iterable[Row]) -> Iterator[Metric]:
    labels = ("codebook", "frame")
    told = {
        field: gauge(name, f"{text}; NaN if not known, no series if nobody judged.", labels)
        for name, field, text in QUALITIES
    }
    judged = gauge("frame_judged_texts", "Texts judged by people that the precision stands on.", labels)
    for row in frames:
        quality, key = row["quality"] or {}, [row["codebook"], row["frame"]]
        # Of a frame that nobody judged there is nothing to tell: eight series of it would only say so, at each scrape.
        for field, metric in told.items() if quality.get("judged") else ():
            metric.add_metric(key, known(quality.get(field)))
        judged.add_metric(key, float(quality.get("judged_carrying", 0)))
    yield from (*told.values(), judged)


def _stances(frames: Iterable[Row]) -> Iterator[Metric]:
    text = "Posts of the last 24 hours by how they stand to the frame (experimental); no series where stance is off."
    told = gauge("frame_stance_posts", text, ("codebook", "frame", "stance"))
    for row in frames:
        for stance in ANSWERS if row["stances"] is not None else ():
            told.add_metric([row["codebook"], row["frame"], stance], row["stances"].get(stance, {}).get("posts", 0))
    yield told


def _alerts(figures: Figures) -> Iterator[Metric]:
    told = "Alerts by kind and state: firing and escalated go on, resolved are over."
    alerts = gauge("alerts", told, ("kind", "state"))
    total = counter("alerts_raised", "Alerts ever raised, by kind.", ("kind",))
    raised = {(r["kind"], r["state"]): r["alerts"] for r in figures.alerts}
    for key in ALERTS:
        alerts.add_metric(key, raised.get(key, 0))
    for kind in KINDS:
        total.add_metric([kind], sum(n for (of, _), n in raised.items() if of == kind))
    deliveries = gauge("deliveries", "Messages in the outbox, by state.", ("state",))
    states = {r["state"]: r["deliveries"] for r in figures.deliveries}
    for name in DELIVERIES:
        deliveries.add_metric([name], states.get(name, 0))
    yield from (alerts, total, deliveries)


def _intake(figures: Figures) -> Iterator[Metric]:
    intake = counter(
        "intake_posts", "Posts by source and by what became of them at intake, since the feed was added.",
        ("source", "outcome"),
    )  # fmt: skip
    sources = sorted({f["source"] for f in figures.feeds})
    for source in sources:
        for outcome in OUTCOMES:
            of = [r for r in figures.intake if r["source"] == source and r["outcome"].partition(":")[0] == outcome]
            intake.add_metric([source, outcome], sum(r["posts"] for r in of))
    dropped = counter("dropped_posts", "Items that could not become posts, by reason.", ("reason",))
    cleaned = counter(
        "cleaned_posts", "Posts whose text had to be changed before it could be stored, by what was wrong.", ("reason",)
    )
    reasons = _reasons(figures.intake, "dropped", DROPS)
    for reason in DROPS:
        dropped.add_metric([reason], reasons.get(reason, 0))
    wrongs = _reasons(figures.intake, "cleaned", CLEANED)
    for reason in CLEANED:
        cleaned.add_metric([reason], wrongs.get(reason, 0))
    yield from (intake, dropped, cleaned)


def _reasons(rows: Iterable[Row], outcome: str, names: tuple[str, ...]) -> dict[str, int]:
    """How many posts had each reason of an outcome (`dropped:no_text`)."""
    found: dict[str, int] = {}
    for row in rows:
        kind, _, reason = row["outcome"].partition(":")
        if kind == outcome:
            name = reason if reason in names else "other"
            found[name] = found.get(name, 0) + row["posts"]
    return found


def _stages(rows: Iterable[Row]) -> Iterator[Metric]:
    found = {r["stage"]: r for r in rows}
    told = {
        "runs": counter("stage_runs", "Runs of the stage that were written down.", ("stage",)),
        "rows": counter("stage_rows", "Rows the stage settled.", ("stage",)),
        "failures": counter("stage_failures", "Failures of the stage: runs or rows it could not settle.", ("stage",)),
        "fenced_off": counter("stage_fenced_off", "Rows whose lease somebody else took over meanwhile.", ("stage",)),
        "seconds": counter("stage_seconds", "Seconds the stage has worked.", ("stage",)),
    }
    for name, metric in told.items():
        for stage in STAGES:
            metric.add_metric([stage], found.get(stage, {}).get(name, 0))
    yield from told.values()


def _feeds(figures: Figures) -> Iterator[Metric]:
    states = gauge("feeds", "Feeds by source and state: enabled (fetched), paused, ended.", ("source", "state"))
    how = gauge("feeds_by_health", f"Feeds by source and how they do: {_HEALTH}.", ("source", "health"))
    failing = gauge("feeds_failing", "Enabled feeds whose last fetch failed.", ("source",))
    lag = gauge(
        "feed_lag_seconds",
        "Longest time an enabled feed has not been heard; of feeds sent to us, silent ones.",
        ("source",),
    )
    for source in sorted({f["source"] for f in figures.feeds}):
        ours = [f for f in figures.feeds if f["source"] == source]
        for name in FEEDS:
            states.add_metric([source, name], sum(f["state"] == name for f in ours))
        for word in ORDER:
            how.add_metric([source, word], sum(health(f, figures.wall) == word for f in ours))
        on = [f for f in ours if f["state"] == "enabled"]
        failing.add_metric([source], sum(f["failures"] > 0 for f in on))
        late = [
            (figures.wall - (f["heard_until"] or f["added_at"])).total_seconds()
            for f in on if f["clock"] == "wall" and (f["mode"] != "push" or f["warning"])
        ]  # fmt: skip
        if late:
            lag.add_metric([source], max(0.0, *late))
    yield from (states, how, failing, lag)


def _size(figures: Figures) -> Iterator[Metric]:
    rows = gauge("backlog_rows", "Rows that wait for the stage.", ("stage",))
    oldest = gauge("backlog_oldest_seconds", "Age of the oldest row that waits for the stage, seconds.", ("stage",))
    found = {r["stage"]: r for r in figures.backlog}
    for stage in WAITING:
        rows.add_metric([stage], found.get(stage, {}).get("waiting", 0))
        oldest.add_metric([stage], max(found.get(stage, {}).get("oldest_s", 0.0), 0.0))
    yield from (rows, oldest)
    yield gauge("posts_stored", "Posts in the database; estimated above two million.", value=figures.sizes["posts"])
    yield gauge(
        "posts_parked", "Posts set aside (parked) because workers died on them.", value=figures.sizes["parked_posts"]
    )
    yield gauge(
        "embeddings_stored", "Vectors in the database; estimated above two million.", value=figures.sizes["embeddings"]
    )
    yield gauge(
        "partitions_ahead_seconds",
        "How long posts have partitions from today on, seconds; negative when today has none.",
        value=figures.partition_days_ahead * DAY_S,
    )  # fmt: skip
