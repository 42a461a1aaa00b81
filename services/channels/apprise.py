"""Services that have no kind of their own here, through the library Apprise (the extra `apprise`).

Its plugins send by `requests`; ours stands in its place in the plugins named below, so that every byte leaves by
the guarded way out. Must not load a plugin that has another way out, nor Apprise itself before it is asked for.
"""

import html
import importlib
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from schemas.errors import FramewatchError, PermanentError, Reason
from schemas.records import Notice
from services.channels.base import Answer, ChannelConfig, Means, Poster, SecretUrl
from services.channels.brief import brief
from services.channels.over_http import judge
from services.channels.wording import line, no_markdown

SERVICES: dict[str, str] = {
    "bark": "bark", "barks": "bark", "gchat": "google_chat", "gotify": "gotify", "gotifys": "gotify",
    "line": "line", "pagerduty": "pagerduty", "pbul": "pushbullet", "prowl": "prowl", "pover": "pushover",
    "signal": "signal_api", "signals": "signal_api", "spike": "spike", "threema": "threema", "twilio": "twilio",
    "wecombot": "wecombot", "wxteams": "webexteams", "webex": "webexteams", "zulip": "zulip",
}  # fmt: skip
"""First part of an Apprise address → the plugin that carries it: each posts by `requests` and by nothing else."""

_HELD = {"content-length", "host", "user-agent", "connection", "accept-encoding"}
_call = threading.local()


class ServiceUrl(SecretUrl):
    """An Apprise address: everything behind its first part may be a password."""

    def shown(self) -> str:
        """The service alone."""
        return f"{line(self.get_secret_value().partition('://')[0], 20)}://…"


def _check_url(url: ServiceUrl) -> ServiceUrl:
    scheme = url.get_secret_value().partition("://")[0].lower()
    if scheme not in SERVICES:
        known = ", ".join(sorted(SERVICES))
        raise ValueError(f"must be an Apprise address that begins with one of {known}, each followed by ://")
    _plugin(url)
    return url


class Config(ChannelConfig):
    """An Apprise address, such as gotifys://push.example.org/TOKEN: https://github.com/caronc/apprise/wiki."""

    url: Annotated[ServiceUrl, AfterValidator(_check_url)]

    def leads_to(self) -> tuple[tuple[str, int], ...]:
        """The server's own address, for services that people run themselves."""
        parts = urlsplit(self.url.get_secret_value())
        own = parts.hostname and ("." in parts.hostname or ":" in parts.hostname or parts.hostname == "localhost")
        port = parts.port or (443 if parts.scheme.endswith("s") else 80)
        return ((str(parts.hostname), port),) if own else ()


class Apprise:
    """Sends through one service that Apprise knows."""

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._means = means

    def send(self, notice: Notice, *, sent_at: datetime) -> None:  # noqa: ARG002
        """Send the brief once; every answer the service gave must be a 2xx, and the plugin must be content."""
        told = brief(notice, self._means.public_url)
        plugin = _plugin(self._config.url)
        title = _escaped(plugin, f"{told.word}: {told.title}")
        text = _escaped(plugin, told.text(limit=2000).partition("\n")[2])
        sending = _Sending(self._means.poster)
        _call.sending = sending
        try:
            taken = bool(plugin.notify(text, title, notify_type="warning" if told.urgent else "info"))
        finally:
            _call.sending = None
        self._judge(sending, taken=taken)

    def _judge(self, sending: "_Sending", *, taken: bool) -> None:
        shown = self._config.url.shown()
        if sending.failure:
            text = f"{shown} could not be reached: {sending.failure.reason.value.replace('_', ' ')}"
            if sending.failure.reason == Reason.BLOCKED_ADDRESS:
                text += "; a private address must be named in FRAMEWATCH_ALLOW_NETWORKS"
            sending.failure.args = (text,)
            raise sending.failure from None
        for answer in sending.answers:
            judge(_Mute(answer), shown)
        if not taken or not sending.answers:
            raise PermanentError(Reason.REFUSED, f"{shown} did not take the message; check the address")


class _Sending:
    """What one send has met so far."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.answers: list[Answer] = []
        self.failure: FramewatchError | None = None


class _Mute:
    """An answer without its words: a service may give back what only Apprise knows to be secret."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.retry_after = answer.status, answer.retry_after
        self.headers: Mapping[str, str] = {}
        self.body = b""


class _Requests:
    """Stands where a plugin expects the module `requests`; whatever it does not know, it does not let through."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.exceptions, self.codes, self.auth = real.exceptions, real.codes, real.auth
        self.RequestException, self.Timeout = real.exceptions.RequestException, real.exceptions.Timeout
        self.ConnectionError, self.HTTPError = real.exceptions.ConnectionError, real.exceptions.HTTPError
        self.Response = real.Response

    def post(self, url: str, data: Any = None, json: Any = None, **more: Any) -> Any:
        """Prepare as `requests` would, without its sessions, proxies and .netrc, and send by the poster."""
        sending: _Sending = _call.sending
        parts = {name: more[name] for name in ("headers", "params", "auth", "files", "cookies") if more.get(name)}
        ready = self._real.Request("POST", url, data=data, json=json, **parts).prepare()
        body = ready.body.encode() if isinstance(ready.body, str) else ready.body or b""
        headers = {name: _text(value) for name, value in ready.headers.items() if name.lower() not in _HELD}
        try:
            answer = sending.poster.post(str(ready.url), body, headers)
        except FramewatchError as error:
            sending.failure = error
            raise self.exceptions.ConnectionError("not sent") from None
        sending.answers.append(answer)
        reply = self._real.Response()
        reply.status_code, reply.url, reply._content = answer.status, ready.url, answer.body
        reply.headers.update(answer.headers)
        return reply


@cache
def _plugins() -> dict[str, Any]:
    """First part of an address → the plugin's class, sending by us. Loads only the plugins in SERVICES."""
    try:
        import apprise  # noqa: F401
        import requests
    except ImportError:
        needed = "apprise channel: it needs Apprise: pip install 'framewatch[apprise]'"
        raise PermanentError(Reason.BAD_CONFIG, needed) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses and bodies
    found, stand_in = {}, _Requests(requests)
    for scheme, name in SERVICES.items():
        module = importlib.import_module(f"apprise.plugins.{name}")
        module.requests = stand_in  # type: ignore[attr-defined]
        found[scheme] = next(
            thing for thing in vars(module).values()
            if isinstance(thing, type) and thing.__module__ == module.__name__ and scheme in _schemes(thing)
        )  # fmt: skip
    return found


def _schemes(thing: Any) -> set[str]:
    named = (getattr(thing, "protocol", None), getattr(thing, "secure_protocol", None))
    return {one for names in named if names for one in ((names,) if isinstance(names, str) else names)}


def _plugin(url: SecretUrl) -> Any:
    text = url.get_secret_value()
    form = _plugins()[text.partition("://")[0].lower()]
    try:
        parts = form.parse_url(text)
        found = form(**parts) if parts else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError("is not complete for this service; see https://github.com/caronc/apprise/wiki")
    found.overflow_mode = "truncate"
    return found


def _escaped(plugin: Any, text: str) -> str:
    """`text` such that the service shows it as it is, in the markup that the plugin announces."""
    if plugin.notify_format == "html":
        return html.escape(text).replace("\n", "<br/>")
    return no_markdown(text) if plugin.notify_format == "markdown" else text


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
