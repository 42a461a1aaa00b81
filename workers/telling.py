"""The telling part of detection: from the verdicts of a frame to alerts that are raised, grow, and are over.

Runs in the transaction that settles the verdicts. Decides nothing itself, and judges no bucket.
"""

from datetime import timedelta
from typing import Any

from services.analysis import alerting, coordination, evidence, telling
from services.analysis.alerting import Episode, Rule
from services.store import alerts, announcing, codebooks, firings, qualities, rules, stances, tellings, trends
from services.store import coordination as same
from services.store.pool import Connection, Row
from workers.runtime import Runtime
from workers.scene import Scene

Verdicts = list[Any]


def tell(tx: Connection, rt: Runtime, watch: Row, scene: Scene, judged: tuple[Verdicts, Verdicts]) -> int:
    """Tell what the verdicts (all of them, and the new ones) of a frame mean by each rule; how many moves were told."""
    verdicts, new = judged
    if not new:
        return 0
    told = 0
    deciding = rules.deciding(tx, watch["frame"], rt.rule)
    for orphan in alerts.orphans(tx, watch["version_id"], watch["frame"], [r.name for r in deciding]):
        last = orphan["last_bucket"]
        told += announcing.resolve(
            tx, orphan["alert_id"], last_bucket=last, now=rt.now(), rule=rt.rule, why="its rule no longer decides"
        )
    for rule in deciding:
        seen = alerting.judged_by(verdicts, rule.alpha(len(scene.titles)), scene.held)
        for episode in alerting.episodes(seen, rule.step):
            if (episode.over or episode.last + rule.step) >= new[0]["bucket"]:
                told += _episode(tx, rt, watch, scene, (rule, episode, seen))
        told += _waves(tx, rt, watch, scene, (rule, new))
    return told


def _episode(tx: Connection, rt: Runtime, watch: Row, scene: Scene, about: tuple[Rule, Episode, Verdicts]) -> int:
    """Raise, extend, escalate or resolve the alert of one episode."""
    rule, episode, _ = about
    told = 0
    identity = alerting.alert_id(rule.name, scene.version["codebook"], watch["frame"], episode.onset.isoformat())
    found = alerts.open_alert(tx, watch["version_id"], watch["frame"], rule=rule.name)
    if found is None:
        told = _raise(tx, rt, watch, scene, (identity, *about))
        found = {"alert_id": identity}
    elif episode.over is None:
        told = _grow(tx, rt, watch, scene, (found["alert_id"], *about))
    if episode.over is None:
        alerts.extend_alert(tx, found["alert_id"], episode.last)
        return told
    over = announcing.resolve(tx, found["alert_id"], last_bucket=episode.last, now=rt.now(), rule=rule)
    return told + int(over)


def _raise(tx: Connection, rt: Runtime, watch: Row, scene: Scene, about: tuple[str, Rule, Episode, Verdicts]) -> int:
    """Raise at the first bucket of the episode behind which enough independent posts stand."""
    identity, rule, episode, verdicts = about
    if alerts.read_alert(tx, identity) is not None:
        return 0
    run = [v for v in verdicts if episode.onset <= v["bucket"] <= episode.last]
    found = firings.first_supported(tx, rule, watch, run, sources_heard=scene.sources_heard)
    if found is None:
        return 0
    run = run[: found.length]
    bundle = _bundle(tx, watch, scene, (identity, rule, run))
    alert = {"alert_id": identity, "kind": "burst", "rule": rule.name, "version_id": watch["version_id"],
             "frame": watch["frame"], "feed_id": None, "onset": episode.onset,
             "last_bucket": run[-1]["bucket"], "evidence": bundle}  # fmt: skip
    measure = telling.measure(run, found.counts["units"])
    return int(announcing.fire(tx, alert, rule, measure=measure, now=rt.now()))


def _grow(tx: Connection, rt: Runtime, watch: Row, scene: Scene, about: tuple[str, Rule, Episode, Verdicts]) -> int:
    """Tell again when there is news: decided on everything since the onset, told with evidence as of now."""
    identity, rule, episode, verdicts = about
    alert = tellings.hold_alert(tx, identity)
    if alert is None or episode.last <= alert["last_bucket"]:
        return 0
    run = [v for v in verdicts if alert["onset"] <= v["bucket"] <= episode.last]
    since = {"version_id": watch["version_id"], "frame": watch["frame"], "since": alert["onset"]}
    counts = alerts.alert_counts(tx, **since, until=episode.last + rule.step)
    measure = telling.measure(run, counts["units"])
    move = announcing.escalation(tx, alert, rule, measure, now=rt.now())
    if move is None or not run:
        return 0
    bundle = _bundle(tx, watch, scene, (identity, rule, run))
    announcing.escalate(tx, alert, move, (rule, measure), bundle=bundle, now=rt.now())
    return 1


def _bundle(tx: Connection, watch: Row, scene: Scene, about: tuple[str, Rule, Verdicts]) -> dict[str, Any]:
    identity, rule, run = about
    since, until = run[0]["bucket"], run[-1]["bucket"] + rule.step
    period = {"version_id": watch["version_id"], "frame": watch["frame"], "since": since, "until": until}
    facts = alerts.facts(tx, **period) | {"scored": trends.posts_scored(tx, watch["version_id"], since, until)}
    models = codebooks.models_of(tx, watch["version_id"])
    told = evidence.burst(identity, rule, scene.titles[watch["frame"]], facts, run=run, models=models)
    return told | {"quality": _quality(tx, watch, scene), "stances": stances.stance_counts(tx, **period)}


def _quality(tx: Connection, watch: Row, scene: Scene) -> dict[str, Any]:
    """How good the frame is as far as people judged it, frozen with the rest."""
    codebook, frame = scene.version["codebook"], watch["frame"]
    found = qualities.read_quality_at(tx, scene.until, codebook=codebook, frame=frame)
    return found[codebook, frame].model_dump(mode="json") if (codebook, frame) in found else {}


def _waves(tx: Connection, rt: Runtime, watch: Row, scene: Scene, about: tuple[Rule, Verdicts]) -> int:
    """Raise an alert for each text that many accounts posted at once, in hours that are known well enough to judge."""
    rule, new = about
    known = [v for v in new if v["state"] in ("ok", "burst")]
    told = 0
    if known:
        since, until = known[0]["bucket"] - coordination.WINDOW, known[-1]["bucket"] + rule.step
        period = {"version_id": watch["version_id"], "frame": watch["frame"], "since": since, "until": until}
        posts = same.same_texts(tx, **period, authors=coordination.MIN_AUTHORS)
        if posts:
            usual = same.usual_fresh(tx, posts[0]["published_at"])
            for wave in coordination.waves(posts, usual):
                told += _wave(tx, rt, watch, scene, (rule, wave))
    for past in alerts.waves_past(tx, watch["frame"], scene.until - alerting.CALM):
        if past["rule"] == rule.name:
            told += announcing.resolve(tx, past["alert_id"], last_bucket=past["last_bucket"], now=rt.now(), rule=rule)
    return told


def _wave(tx: Connection, rt: Runtime, watch: Row, scene: Scene, about: tuple[Rule, coordination.Wave]) -> int:
    rule, wave = about
    parts = (rule.name, scene.version["codebook"], watch["frame"], wave.onset.date().isoformat(), wave.unit_key)
    identity = alerting.alert_id("coordinated", *parts)
    if alerts.read_alert(tx, identity) is not None:
        return 0
    until = wave.last + timedelta(seconds=1)
    period = {"version_id": watch["version_id"], "frame": watch["frame"], "since": wave.onset, "until": until}
    facts = alerts.facts(tx, **period, unit_key=bytes.fromhex(wave.unit_key))
    facts["scored"] = trends.posts_scored(tx, watch["version_id"], wave.onset - rule.step, until)
    models = codebooks.models_of(tx, watch["version_id"])
    bundle = evidence.coordinated(identity, rule, scene.titles[watch["frame"]], facts, wave=wave, models=models)
    bundle["quality"] = _quality(tx, watch, scene)
    alert = {"alert_id": identity, "kind": "coordinated", "rule": rule.name, "version_id": watch["version_id"],
             "frame": watch["frame"], "feed_id": None, "onset": wave.onset, "last_bucket": wave.last,
             "evidence": bundle}  # fmt: skip
    return int(announcing.fire(tx, alert, rule, measure=telling.Measure(wave.authors), now=rt.now()))
