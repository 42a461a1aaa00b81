"""A notice in Alertmanager's terms: labels that name it for ever, annotations that tell its present state.

Must not send. Labels never change between firing, escalation and the end of one alert: Alertmanager knows an
alert by them alone.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.records import Notice
from services.analysis.courses import course
from services.channels.brief import Brief, brief
from services.channels.wording import line

HOLD = timedelta(days=7)
"""How long an alert stands in an Alertmanager that hears no more of it; its own default is five minutes."""
_BRIEFLY = timedelta(hours=1)
_NEVER_ENDED = "0001-01-01T00:00:00Z"
_SEVERITY = {"outage": "info", "gap": "info"}


def posted(notice: Notice, public_url: str, *, sent_at: datetime) -> list[dict[str, Any]]:
    """The body of POST /api/v2/alerts: what is over ends now, the rest after HOLD (a digest or test: in an hour)."""
    return [_posted(one, public_url, sent_at) for one in _apart(notice)]


def webhook_v4(notice: Notice, public_url: str, *, sent_at: datetime) -> dict[str, Any]:
    """The body of Alertmanager's own webhook."""
    alerts = [_hooked(one, public_url, sent_at) for one in _apart(notice)]
    name = alerts[0]["labels"]["alertname"]
    return {
        "receiver": "framewatch",
        "status": alerts[0]["status"],
        "alerts": alerts,
        "groupLabels": {"alertname": name},
        "commonLabels": _common([one["labels"] for one in alerts]),
        "commonAnnotations": _common([one["annotations"] for one in alerts]),
        "externalURL": public_url,
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
    }


def _apart(notice: Notice) -> list[Notice]:
    """The alerts that a notice tells together, each for itself."""
    others = notice.data.get("together") or [] if notice.kind == "alert" else []
    return [notice, *(Notice(str(other["message_id"]), "alert", notice.subject, other) for other in others)]


def _posted(notice: Notice, public_url: str, sent_at: datetime) -> dict[str, Any]:
    told = brief(notice, public_url)
    ends = sent_at if _is_over(notice) else sent_at + (HOLD if notice.kind == "alert" else _BRIEFLY)
    item = {
        "labels": _labels(notice),
        "annotations": _annotations(told),
        "startsAt": _text(min(_started(notice, sent_at), ends)),
        "endsAt": _text(ends),
    }
    return item | ({"generatorURL": told.page} if told.page else {})


def _hooked(notice: Notice, public_url: str, sent_at: datetime) -> dict[str, Any]:
    told, labels, started = brief(notice, public_url), _labels(notice), _started(notice, sent_at)
    over = _is_over(notice)
    return {
        "status": "resolved" if over else "firing",
        "labels": labels,
        "annotations": _annotations(told),
        "startsAt": _text(started),
        "endsAt": _text(_ended(notice, started)) if over else _NEVER_ENDED,
        "generatorURL": told.page,
        "fingerprint": _fingerprint(labels),
    }


def _common(several: list[dict[str, str]]) -> dict[str, str]:
    return {name: value for name, value in several[0].items() if all(one.get(name) == value for one in several)}


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
    return notice.kind == "alert" and course(notice.data["state"]) == "over"


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
