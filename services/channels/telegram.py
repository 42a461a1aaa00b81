"""Telegram by a bot. Text goes out without a parse mode, so that Telegram reads no markup in it."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from services.channels.base import ChannelConfig, SecretUrl
from services.channels.brief import Brief
from services.channels.chat import Chat
from services.channels.over_http import Request, WebUrl

_LIMIT = 4000
"""Characters of UTF-16; Telegram takes 4,096."""


def _check_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[0-9]{5,15}:[A-Za-z0-9_-]{30,60}", token.get_secret_value()):
        raise ValueError("must be what @BotFather gave you, such as 123456789:AAE…")
    return token


def _check_chat(chat: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{4,32}", chat):
        raise ValueError("must be the number of a chat (a group's begins with -) or @name of a channel")
    return chat


class Config(ChannelConfig):
    """The bot's token and the chat it writes to; the bot must be a member of it."""

    token: Annotated[SecretStr, AfterValidator(_check_token)]
    chat: Annotated[str, AfterValidator(_check_chat)]
    url: WebUrl = SecretUrl("https://api.telegram.org")


class Telegram(Chat):
    """One Telegram chat."""

    def request(self, config: Config, told: Brief) -> Request:
        """One message without preview: https://core.telegram.org/bots/api#sendmessage."""
        url = f"{config.url.get_secret_value().rstrip('/')}/bot{config.token.get_secret_value()}/sendMessage"
        body = {
            "chat_id": config.chat,
            "text": told.text(limit=_LIMIT),
            "link_preview_options": {"is_disabled": True},
            "disable_notification": not told.urgent,
        }
        return Request(url, body)
