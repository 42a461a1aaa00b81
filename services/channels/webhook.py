"""Notices as signed JSON over HTTP, in the form of Standard Webhooks.

Each try carries the same id and the same body. Must not follow redirects, and must not name more of the
address than its host: the rest of it is often a password.
"""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.records import Notice
from services.channels.base import Answer, ChannelConfig, Means, SecretUrl
from services.channels.wording import link, mend, stable_id

_PREFIX = "whsec_"
_HEADER_SAFE = re.compile(r"[!-~]{1,200}")
_HAPPENED = {"alert": "until", "digest": "slot"}
_TRANSIENT = {408: Reason.TIMEOUT, 425: Reason.SERVER_ERROR, 429: Reason.RATE_LIMITED}


def _check_url(url: SecretUrl) -> SecretUrl:
    if not link(url.get_secret_value()):
        raise ValueError("must be http://host/… or https://host/…")
    return url


def _key(secret: SecretStr) -> bytes:
    text = secret.get_secret_value()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except ValueError:
        return b""


def _check_secret(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and len(_key(secret)) < 24:
        raise ValueError(f"must be {_PREFIX} followed by at least 24 random bytes in base64, or empty")
    return secret


class Config(ChannelConfig):
    """Where to post, and the secret shared with the receiver (none: not signed)."""

    url: Annotated[SecretUrl, AfterValidator(_check_url)]
    secret: Annotated[SecretStr, AfterValidator(_check_secret)] = SecretStr("")


class Webhook:
    """Posts notices to one address."""

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._poster = means.poster

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Post the notice once; only a 2xx counts as taken."""
        body = payload(notice, sent_at)
        headers = _headers(self._config, stable_id(notice.message_id, _HEADER_SAFE), body, sent_at)
        try:
            answer = self._poster.post(self._config.url.get_secret_value(), body, headers)
        except TransientError as error:
            raise TransientError(error.reason, self._hide(error), error.retry_after) from None
        except PermanentError as error:
            raise PermanentError(error.reason, self._hide(error)) from None
        _judge(answer, self._config.url.shown())

    def _hide(self, error: FramewatchError) -> str:
        """What the poster said, without the part of the address that only the receiver should know."""
        text = re.sub(r"https?://[^\s'\"]+", lambda found: SecretUrl(found[0]).shown(), str(error))
        path = self._config.url.get_secret_value().split("/", 3)[3:]
        return text.replace(f"/{path[0]}", "/…") if path and path[0] else text


def payload(notice: Notice, sent_at: datetime) -> bytes:
    """The body: type, time of the event (of the sending, for a test) and the notice's own data."""
    state = f".{notice.data['state']}" if notice.kind == "alert" else ""
    happened = notice.data.get(_HAPPENED.get(notice.kind, "")) or sent_at.astimezone(UTC).isoformat()
    body = {"type": notice.kind + state, "timestamp": happened, "data": dict(notice.data)}
    return mend(json.dumps(body, ensure_ascii=False, allow_nan=False)).encode()


def _headers(config: Config, message_id: str, body: bytes, sent_at: datetime) -> dict[str, str]:
    stamp = str(int(sent_at.timestamp()))
    headers = {"content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": stamp}
    if key := _key(config.secret):
        signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = "v1," + base64.b64encode(signed).decode()
    return headers


def _judge(answer: Answer, shown: str) -> None:
    status, said = answer.status, f"{shown} answered {answer.status}"
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise PermanentError(Reason.REDIRECTED, f"{said}; configure the address it has moved to")
    if status == 410:
        raise PermanentError(Reason.GONE, f"{said}: the receiver wants no more; remove this channel")
    if 400 <= status < 500 and status not in _TRANSIENT:
        raise PermanentError(Reason.REFUSED, f"{said}; check the address and what the receiver accepts")
    raise TransientError(_TRANSIENT.get(status, Reason.SERVER_ERROR), said, answer.retry_after)
