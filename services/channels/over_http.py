"""What every channel over HTTP shares: handing over, what each status means, and what may be said of it.

Must not follow redirects, and must not name more of an address than its host: the rest of it is often a password.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.channels.base import Answer, Poster, SecretUrl
from services.channels.wording import line, link, mend

_TRANSIENT = {408: Reason.TIMEOUT, 425: Reason.SERVER_ERROR, 429: Reason.RATE_LIMITED}
_LONGEST_WAIT = timedelta(hours=24)
_SHORT = 6
"""Parts of an address shorter than this are no secrets: hiding `api` or `v2` would hide every answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request in a service's own words."""

    url: str
    body: Mapping[str, Any] | list[Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


def hand_over(poster: Poster, request: Request, secrets: Iterable[str] = ()) -> Answer:
    """Send `request` once; returning means a 2xx came back. No secret of ours is in what is raised.

    Raises PermanentError: REDIRECTED for 3xx, GONE for 410, NO_ACCESS for 401 and 403, REFUSED for other 4xx;
    TransientError for 408, 425, 429 and 5xx with the wait that was asked for; and what the poster raises when no
    status came back.
    """
    body = request.body if isinstance(request.body, bytes) else as_json(request.body)
    headers = {"content-type": "application/json", **request.headers}
    hidden = [*secrets, *_parts(request.url)]
    try:
        if request.method == "PUT":
            answer = poster.put(request.url, body, headers)
        else:
            answer = poster.post(request.url, body, headers)
    except TransientError as error:
        raise TransientError(error.reason, _hide(error, request.url, hidden), error.retry_after) from None
    except PermanentError as error:
        raise PermanentError(error.reason, _hide(error, request.url, hidden)) from None
    judge(answer, SecretUrl(request.url).shown(), hidden)
    return answer


def judge(answer: Answer, shown: str, hidden: Iterable[str] = ()) -> None:
    """Return when `answer` is a 2xx, else raise what its status means (see hand_over)."""
    status = answer.status
    said = f"{shown} answered {status}{_words(answer, hidden)}"
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise PermanentError(Reason.REDIRECTED, f"{said}; configure the address it has moved to")
    if status == 410:
        raise PermanentError(Reason.GONE, f"{said}: the receiver wants no more; add it anew or remove this channel")
    if status in (401, 403):
        raise PermanentError(Reason.NO_ACCESS, f"{said}; check the token or the address that stands for one")
    if 400 <= status < 500 and status not in _TRANSIENT:
        raise PermanentError(Reason.REFUSED, f"{said}; check the address and what the receiver accepts")
    raise TransientError(_TRANSIENT.get(status, Reason.SERVER_ERROR), said, _wait(answer))


def as_json(value: Any) -> bytes:
    """`value` as JSON that every receiver can read: UTF-8, without U+0000 and lone surrogates."""
    return json.dumps(_cleaned(value), ensure_ascii=False, allow_nan=False).encode()


def said_json(answer: Answer) -> dict[str, Any]:
    """The body of an answer when it is a JSON object, else an empty one."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_url(url: SecretUrl) -> SecretUrl:
    if not link(url.get_secret_value()):
        raise ValueError("must be http://host/… or https://host/…")
    return url


WebUrl = Annotated[SecretUrl, AfterValidator(_check_url)]
"""An http(s) address that is told to nobody but its host."""


def _check_plain(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{0,500}", secret.get_secret_value()):
        raise ValueError("must be plain ASCII without blanks, as the service shows it")
    return secret


Token = Annotated[SecretStr, AfterValidator(_check_plain)]
"""A credential that travels in a header."""


def bearer(token: SecretStr) -> dict[str, str]:
    """The header that carries `token`, when there is one."""
    return {"authorization": f"Bearer {token.get_secret_value()}"} if token.get_secret_value() else {}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return mend(value).replace("\x00", "")
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def _parts(url: str) -> list[str]:
    """Every piece of an address that may be a password."""
    parts = urlsplit(url)
    pieces = [*re.split(r"[/?&=;]", f"{parts.path}?{parts.query}"), parts.username or "", parts.password or ""]
    pieces += [unquote(piece) for piece in pieces]
    return [piece for piece in pieces if len(piece) >= _SHORT]


def _hide(error: FramewatchError, url: str, hidden: Iterable[str]) -> str:
    """What the poster said, without the part of the address that only the receiver should know."""
    text = re.sub(r"https?://[^\s'\"]+", lambda found: SecretUrl(found[0]).shown(), str(error))
    path = url.split("/", 3)[3:]
    text = text.replace(f"/{path[0]}", "/…") if path and path[0] else text
    for secret in hidden:
        text = text.replace(secret, "…") if secret else text
    return text


def _words(answer: Answer, hidden: Iterable[str]) -> str:
    """What the receiver says of itself, unless it gives one of our secrets back or talks in pages."""
    text = answer.body.decode("utf-8", "replace")
    if not text.strip() or "<" in text or any(secret in text for secret in hidden if secret):
        return ""
    told = said_json(answer)
    named = next((told[key] for key in ("description", "error", "message") if isinstance(told.get(key), str)), text)
    return f" ({line(named, 120)})"


def _wait(answer: Answer) -> timedelta | None:
    """The wait asked for in a header or, as some services have it, in the body."""
    told = said_json(answer)
    inner = told.get("parameters")
    asked = told.get("retry_after", inner.get("retry_after") if isinstance(inner, dict) else None)
    seconds = _number(told.get("retry_after_ms")) / 1000 or _number(asked)
    if answer.retry_after is not None or not seconds > 0:
        return answer.retry_after
    return min(timedelta(seconds=min(seconds, 10**6)), _LONGEST_WAIT)


def _number(value: Any) -> float:
    """`value` when it is a number that can be waited for, else 0."""
    return float(min(value, 10**9)) if isinstance(value, int | float) and value == value else 0.0
