"""Where notices go: each kind of channel is one small file, named here and loaded when first asked for.

Must not know what any one kind does, decide who is told what, or retry.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import PermanentError, Reason, TransientError
from services.channels.base import Answer, Channel, ChannelConfig, Means, Poster, SecretUrl

__all__ = ["CHANNELS", "Answer", "Channel", "Poster", "channel_for", "check_config", "check_reach", "fields", "redact"]

CHANNELS: dict[str, str] = {
    "alertmanager": "services.channels.alertmanager:Alertmanager",
    "apprise": "services.channels.apprise:Apprise",
    "discord": "services.channels.discord:Discord",
    "mail": "services.channels.mail:Mail",
    "matrix": "services.channels.matrix:Matrix",
    "mattermost": "services.channels.mattermost:Mattermost",
    "ntfy": "services.channels.ntfy:Ntfy",
    "slack": "services.channels.slack:Slack",
    "teams": "services.channels.teams:Teams",
    "telegram": "services.channels.telegram:Telegram",
    "webhook": "services.channels.webhook:Webhook",
}
"""Kind of channel → the class that carries notices there; `Config` beside it is the form of its config."""

HIDDEN = "••••••"


def channel_for(kind: str, config: Mapping[str, Any], poster: Poster, *, public_url: str) -> Channel:
    """A channel of `kind` ready to send.

    Raises PermanentError: UNKNOWN_KIND, or BAD_CONFIG naming the field and what it should be.
    """
    form, build = _load(kind)
    return build(_validate(kind, form, config), Means(poster, public_url))


def check_config(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as it should be saved: complete, tidied, JSON, secrets included. Raises as channel_for does."""
    form, _ = _load(kind)
    checked = _validate(kind, form, config)
    return {name: _plain(value) for name, value in checked if value is not None}


def check_reach(kind: str, config: Mapping[str, Any], poster: Poster) -> str:
    """Look up where a channel of `config` would send to; "" or a warning that nobody knows the name (yet).

    Raises as channel_for does, and PermanentError(BLOCKED_ADDRESS) for an address we may not reach.
    """
    form, _ = _load(kind)
    warning = ""
    for host, port in _validate(kind, form, config).leads_to():
        try:
            poster.check(host, port)
        except TransientError as error:
            warning = str(error)
    return warning


def fields(kind: str) -> str:
    """The fields of a kind of channel for a help text; those in brackets may be left out. Raises UNKNOWN_KIND."""
    given = _load(kind)[0].model_fields.items()
    return " ".join(f"{name}=…" if field.is_required() else f"[{name}=…]" for name, field in given)


def redact(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as it may be listed: secrets and keys the kind does not know are hidden. Never raises."""
    fields = _load(kind)[0].model_fields if kind in CHANNELS else {}
    return {
        name: _redacted(fields[name].annotation, value) if name in fields else HIDDEN for name, value in config.items()
    }


def _load(kind: str) -> tuple[type[ChannelConfig], Callable[[ChannelConfig, Means], Channel]]:
    if kind not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise PermanentError(Reason.UNKNOWN_KIND, f"{kind!r} is not a kind of channel; known are: {known}")
    path, _, name = CHANNELS[kind].partition(":")
    module = import_module(path)
    return module.Config, getattr(module, name)


def _validate(kind: str, form: type[ChannelConfig], config: Mapping[str, Any]) -> ChannelConfig:
    try:
        return form.model_validate(dict(config))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = "; ".join(_worded(item, form) for item in found)
    raise PermanentError(Reason.BAD_CONFIG, f"{kind} channel: {wrong}")


def _worded(item: ErrorDetails, form: type[ChannelConfig]) -> str:
    field = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "missing":
        return f"{field} is missing"
    if item["type"] == "extra_forbidden":
        named = field if field.isidentifier() and len(field) <= 30 else "one key"
        return f"{named} is not a field; known are: {', '.join(form.model_fields)}"
    text = item["msg"].removeprefix("Value error, ")
    return f"{field}: {text}" if field else text


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return list(value) if isinstance(value, tuple) else value


def _redacted(annotation: Any, value: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, SecretUrl):
        return annotation(str(value)).shown()
    if annotation is SecretStr:
        return HIDDEN if value else ""
    return value
