"""Notices as signed JSON over HTTP, in the form of Standard Webhooks.

Each try carries the same id and the same body. The body is ours or, with `format=alertmanager`, that of
Alertmanager's webhook (version 4), for receivers that already read those. Must not judge or word anything.
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, SecretStr

from schemas.records import Notice
from services.channels.base import ChannelConfig, Means
from services.channels.labels import webhook_v4
from services.channels.over_http import Request, WebUrl, as_json, hand_over
from services.channels.wording import stable_id

_PREFIX = "whsec_"
_HEADER_SAFE = re.compile(r"[!-~]{1,200}")
_HAPPENED = {"alert": "until", "digest": "slot"}


def _keys(secrets: SecretStr) -> list[bytes]:
    return [_key(secret) for secret in secrets.get_secret_value().split()]


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except ValueError:
        return b""


def _check_secret(secret: SecretStr) -> SecretStr:
    if not all(24 <= len(key) <= 64 for key in _keys(secret)):
        raise ValueError(
            f"must be {_PREFIX} followed by at least 24 random bytes (at most 64) in base64, or empty; "
            "two with a blank between them while the receiver changes from one to the other"
        )
    return secret


class Config(ChannelConfig):
    """Where to post, and the secret shared with the receiver (none: not signed; several: signed with each)."""

    url: WebUrl
    secret: Annotated[SecretStr, AfterValidator(_check_secret)] = SecretStr("")
    format: Literal["framewatch", "alertmanager"] = "framewatch"


class Webhook:
    """Posts notices to one address."""

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._means = means

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Post the notice once; only a 2xx counts as taken."""
        if self._config.format == "alertmanager":
            body = as_json(webhook_v4(notice, self._means.public_url, sent_at=sent_at))
        else:
            body = as_json(payload(notice, sent_at))
        headers = _headers(self._config, stable_id(notice.message_id, _HEADER_SAFE), body, sent_at)
        secrets = [part for whole in self._config.secret.get_secret_value().split() for part in (whole, whole[6:])]
        hand_over(self._means.poster, Request(self._config.url.get_secret_value(), body, headers), secrets)


def payload(notice: Notice, sent_at: datetime) -> dict[str, Any]:
    """The body: type, time of the event (of the sending, for a test) and the notice's own data."""
    state = f".{notice.data['state']}" if notice.kind == "alert" else ""
    happened = notice.data.get(_HAPPENED.get(notice.kind, "")) or sent_at.astimezone(UTC).isoformat()
    return {"type": notice.kind + state, "timestamp": happened, "data": dict(notice.data)}


def _headers(config: Config, message_id: str, body: bytes, sent_at: datetime) -> dict[str, str]:
    stamp = str(int(sent_at.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp}
    signed = f"{message_id}.{stamp}.".encode() + body
    if keys := _keys(config.secret):
        marks = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
        headers["webhook-signature"] = " ".join(f"v1,{mark}" for mark in marks)
    return headers
