"""A notice in Alertmanager's terms: labels that name it for ever, annotations that tell its present state.

Must not send. Labels never change between firing, escalation and the end of one alert: Alertmanager knows an
alert by them alone.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.records import Notice
from services.channels.brief import Brief, brief
from services.channels.wording import line

HOLD = timedelta(days=7)
"""How long an alert stands in an Alertmanager that hears no more of it; its own default is five minutes."""
_BRIEFLY = timedelta(hours=1)
_NEVER_ENDED = "0001-01-01T00:00:00Z"
_SEVERITY = {"outage": "info", "coverage": "info"}


def posted(notice: Notice, public_url: str, *, sent_at: datetime) -> dict[str, Any]:
    """One item of POST /api/v2/alerts: ends now when it is over, else after HOLD (a digest or test: an hour)."""
    told = brief(notice, public_url)
    over = _is_over(notice)
    ends = sent_at if over else sent_at + (HOLD if notice.kind == "alert" else _BRIEFLY)
    item = {
        "labels": _labels(notice),
        "annotations": _annotations(told),
        "startsAt": _text(min(_started(notice, sent_at), ends)),
        "endsAt": _text(ends),
    }
    return item | ({"generatorURL": told.page} if told.page else {})


def webhook_v4(notice: Notice, public_url: str, *, sent_at: datetime) -> dict[str, Any]:
    """The body of Alertmanager's own webhook with this one alert in it."""
    told, labels = brief(notice, public_url), _labels(notice)
    status = "resolved" if _is_over(notice) else "firing"
    started = _started(notice, sent_at)
    one = {
        "status": status,
        "labels": labels,
        "annotations": _annotations(told),
        "startsAt": _text(started),
        "endsAt": _text(_ended(notice, started)) if status == "resolved" else _NEVER_ENDED,
        "generatorURL": told.page,
        "fingerprint": _fingerprint(labels),
    }
    return {
        "receiver": "framewatch",
        "status": status,
        "alerts": [one],
        "groupLabels": {"alertname": labels["alertname"]},
        "commonLabels": labels,
        "commonAnnotations": one["annotations"],
        "externalURL": public_url,
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}',
        "truncatedAlerts": 0,
    }


def _labels(notice: Notice) -> dict[str, str]:
    data = notice.data
    kind = str(data["kind"]) if notice.kind == "alert" else notice.kind
    found = {
        "alertname": "Framewatch" + line(kind, 40).title().replace(" ", ""),
        "severity": _SEVERITY.get(kind, "warning") if notice.kind == "alert" else "info",
        "frame": line(data["frame"]["id"], 120) if notice.kind == "alert" else "",
        "codebook": line((data.get("codebook") or {}).get("id"), 120),
        "rule": line(data.get("rule"), 120),
        "alert_id": line(data.get("alert_id"), 120),
        "digest": line(data.get("digest"), 120) if notice.kind == "digest" else "",
        "channel": line(data.get("channel"), 120) if notice.kind == "test" else "",
    }
    return {name: value for name, value in found.items() if value}


def _annotations(told: Brief) -> dict[str, str]:
    return {
        "summary": f"{told.word}: {told.title}",
        "description": "\n".join(told.lines),
        "posts": "\n\n".join(told.quotes),
        "message_id": told.message_id,
    }


def _is_over(notice: Notice) -> bool:
    return notice.kind == "alert" and notice.data["state"] == "resolved"


def _started(notice: Notice, sent_at: datetime) -> datetime:
    return _moment(notice.data.get({"alert": "onset", "digest": "slot"}.get(notice.kind, "")), sent_at)


def _ended(notice: Notice, started: datetime) -> datetime:
    return max(_moment(notice.data.get("until"), started), started)


def _moment(value: Any, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return otherwise


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fingerprint(labels: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(f"{k}\0{v}" for k, v in sorted(labels.items())).encode()).hexdigest()[:16]
