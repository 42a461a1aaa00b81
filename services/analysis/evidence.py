"""Makes the evidence bundle of an alert from facts already read: JSON, frozen when the alert fires."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from services.analysis.alerting import Rule
from services.analysis.bursts import usual_at_most
from services.analysis.confidential import feed_told
from services.analysis.coordination import CHANCE, Wave
from services.analysis.naming import many

Row = Mapping[str, Any]

MUCH = 100
"""A ratio to next to nothing says little: above this it is told as `more than`."""


def burst(
    alert_id: str, rule: Rule, frame: Row, facts: Row, *, run: Sequence[Row], models: Sequence[str]
) -> dict[str, Any]:
    """The bundle of a burst.

    `run` are the verdicts from the onset to the bucket it fires in; `facts` holds counts, sources, languages, links,
    first_carriers, typical and `scored` (posts of any frame in the same time).
    """
    counts = {**facts["counts"], "share": facts["counts"]["posts"] / max(facts["scored"], 1)}
    expected = sum(v["expected"] or 0.0 for v in run)
    low, high = ratio_interval(counts["units"], expected)
    ratio = counts["units"] / max(expected, 1e-9)
    onset, until = run[0]["bucket"], run[-1]["bucket"] + rule.step
    learned = run[0]["learned_s"]
    return {
        "alert_id": alert_id,
        "kind": "burst",
        "state": "firing",
        "rule": rule.name,
        "reason": reason(frame["title"], counts, expected=expected, span=(onset, until)),
        "frame": {"id": frame["frame"], "title": frame["title"], "description": frame["description"]},
        "codebook": {"id": frame["codebook"], "version": frame["version"], "title": frame["codebook_title"]},
        "model": ", ".join(models),
        "models": list(models),
        "terms": terms(rule),
        "scored": facts["scored"],
        "onset": onset.isoformat(),
        "until": until.isoformat(),
        "step_seconds": int(rule.step.total_seconds()),
        "counts": counts,
        "expected": {
            "units": expected,
            "upper": _usual_at_most(run, expected),
            "ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
        },
        "probability": min(v["probability"] for v in run if v["probability"] is not None),
        "threshold": run[0]["alpha"],
        "baseline": {
            "from": run[0]["learned_from"].isoformat(),
            "until": onset.isoformat(),
            "days": learned / 86_400,
        },
        "coverage": sum(v["coverage"] or 0.0 for v in run) / len(run),
        **{k: [_plain(r) for r in facts[k]] for k in ("sources", "languages", "links", "first_carriers", "typical")},
    }


def outage(alert_id: str, feed: Row, onset: datetime, now: datetime) -> dict[str, Any]:
    """The bundle of a feed that stays silent: the same keys, with nothing counted."""
    feed = feed_told(feed)
    name = feed["title"] or feed["address"]
    told = feed["last_error"] or feed["last_reason"] or "no answer"
    why = f"{name} has not been heard since {onset:%d %b %Y %H:%M} UTC: {told}"
    if feed.get("mode") == "push":
        why = f"{name}: {feed['warning']}"
    frame = {"id": "", "title": name, "description": feed["address"]}
    return _uncounted("outage", alert_id, frame, (onset, now)) | {"reason": why}


def gap(alert_id: str, onset: datetime, until: datetime, covered: float, *, over: bool) -> dict[str, Any]:
    """The bundle of a stretch in which too little was heard to judge anything: the same keys, with nothing counted."""
    when = f"From {onset:%d %b %Y %H:%M} to {until:%d %b %Y %H:%M}" if over else f"Since {onset:%d %b %Y %H:%M}"
    why = (
        f"{when} UTC only {covered:.0%} of what the feeds should say was heard: "
        f"no frame {'was' if over else 'is'} judged, and nothing is known of what moved"
    )
    frame = {"id": "", "title": "Coverage", "description": "What was not heard is unknown, not zero."}
    return _uncounted("gap", alert_id, frame, (onset, until)) | {"reason": why, "coverage": covered}


def coordinated(
    alert_id: str, rule: Rule, frame: Row, facts: Row, *, wave: Wave, models: Sequence[str]
) -> dict[str, Any]:
    """The bundle of one text by many accounts at once: its accounts in order, and how usual such accounts are."""
    counts = {**facts["counts"], "share": facts["counts"]["posts"] / max(facts["scored"], 1)}
    why = (
        f"{frame['title']}: one text by {many(wave.authors, 'author')} within {many(round(wave.span_s), 'second')}, "
        f"{wave.fresh} of them never seen before that day (usual: {wave.usual:.0%})"
    )
    about = {"id": frame["frame"], "title": frame["title"], "description": frame["description"]}
    return _uncounted("coordinated", alert_id, about, (wave.onset, wave.last)) | {
        "rule": rule.name, "reason": why, "counts": counts, "probability": wave.probability, "coverage": 1.0,
        "threshold": CHANCE, "terms": terms(rule), "scored": facts["scored"],
        "codebook": {"id": frame["codebook"], "version": frame["version"], "title": frame["codebook_title"]},
        "model": ", ".join(models), "models": list(models),
        "wave": {"authors": wave.authors, "fresh": wave.fresh, "span_seconds": wave.span_s, "usual_fresh": wave.usual,
                 "unit_key": wave.unit_key},
        **{k: [_plain(r) for r in facts[k]] for k in ("sources", "languages", "links", "first_carriers", "typical")},
    }  # fmt: skip


def _uncounted(kind: str, alert_id: str, frame: Row, period: tuple[datetime, datetime]) -> dict[str, Any]:
    onset, until = (moment.isoformat() for moment in period)
    return {
        "alert_id": alert_id,
        "kind": kind,
        "state": "firing",
        "rule": kind,
        "reason": "",
        "frame": dict(frame),
        "codebook": {"id": "", "version": 0, "title": ""},
        "model": "",
        "onset": onset,
        "until": until,
        "step_seconds": 0,
        "counts": {"posts": 0, "texts": 0, "units": 0, "authors": 0, "publishers": 0, "share": 0.0},
        "expected": {"units": 0.0, "upper": 0.0, "ratio": 0.0, "ratio_low": 0.0, "ratio_high": 0.0},
        "probability": 0.0,
        "threshold": 0.0,
        "baseline": {"from": onset, "until": onset, "days": 0.0},
        "coverage": 0.0,
        "sources": [],
        "languages": [],
        "links": [],
        "first_carriers": [],
        "typical": [],
    }


def terms(rule: Rule) -> dict[str, Any]:
    """What a rule asked for, as it was when it fired."""
    names = ("min_posts", "min_authors", "min_units", "min_share", "min_promotes", "one_source", "budget")
    return {name: getattr(rule, name) for name in names}


SUBJECTS = {
    "burst.firing": "{title} is rising: {units}, {usual}",
    "burst.escalated": "{title} rises further: {units}, {usual}",
    "burst.resolved": "{title}: the alert is over",
    "coordinated.firing": "{title}: one text by {authors} at once",
    "coordinated.escalated": "{title}: one text by {authors} by now",
    "coordinated.resolved": "{title}: the wave of one text is over",
    "outage.firing": "{title} is silent",
    "outage.resolved": "{title} is heard again: the outage is over",
    "gap.firing": "Too little is heard: no frame is judged",
    "gap.resolved": "Enough is heard again: the gap is over",
}


def subject(bundle: Row) -> str:
    """The alert in one line, in our words and the frame's title only."""
    counts, ratio = bundle["counts"], bundle["expected"]["ratio"]
    usual = f"{ratio:.0f}x usual" if ratio < MUCH else f"more than {MUCH}x usual"
    said = {"units": many(counts["units"], "voice"), "authors": many(counts["authors"], "author")}
    form = SUBJECTS[f"{bundle['kind']}.{bundle['state']}"]
    return form.format(title=bundle["frame"]["title"], usual=usual, **said)


def reason(title: str, counts: Row, *, expected: float, span: tuple[datetime, datetime]) -> str:
    """One sentence that says why the team is told, and of which time."""
    behind = f"{many(counts['posts'], 'post')} by {many(counts['authors'], 'author')}"
    voices = f"{many(counts['units'], 'independent voice')} ({behind})"
    onset, until = span
    end = f"{until:%H:%M}" if until.date() == onset.date() else f"{until:%d %b %Y %H:%M}"
    return f"{title}: {voices} from {onset:%d %b %Y %H:%M} to {end} UTC, where the past explains {expected:.2g}."


def ratio_interval(observed: int, expected: float) -> tuple[float, float]:
    """The 95 % interval of observed over expected for a Poisson count (Garwood 1936), by the gamma quantiles."""
    expected = max(expected, 1e-9)
    low = float(gammaincinv(observed, 0.025)) if observed else 0.0
    return low / expected, float(gammaincinv(observed + 1, 0.975)) / expected


def _usual_at_most(run: Sequence[Row], expected: float) -> float:
    """The most units the run's time usually holds, at the threshold a single bucket is held to."""
    spread = sum(v["dispersion"] or 0.0 for v in run) / len(run)
    return float(usual_at_most(np.array([expected]), np.array([max(spread, 1e-9)]), run[0]["alpha"] / 2)[0])


def _plain(row: Row) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
