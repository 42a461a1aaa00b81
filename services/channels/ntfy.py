"""ntfy, at ntfy.sh or a server of one's own. The topic is a password, and is treated as one."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from services.channels.base import ChannelConfig, SecretUrl
from services.channels.brief import Brief
from services.channels.chat import Chat
from services.channels.over_http import Request, Token, WebUrl, bearer
from services.channels.wording import stable_id

_NAME = re.compile(r"[-_A-Za-z0-9]{1,64}")
_LIMIT = 4000
"""Bytes of a message; from 4,096 on ntfy makes a file of it."""


def _check_topic(topic: SecretStr) -> SecretStr:
    if not _NAME.fullmatch(topic.get_secret_value()):
        raise ValueError("must be the topic alone: letters, digits, - and _, at most 64")
    return topic


class Config(ChannelConfig):
    """The topic, and where it lives when that is not ntfy.sh."""

    topic: Annotated[SecretStr, AfterValidator(_check_topic)]
    url: WebUrl = SecretUrl("https://ntfy.sh")
    token: Token = SecretStr("")


class Ntfy(Chat):
    """One ntfy topic; a repeat replaces the first one on the phone (ntfy 2.16 and later)."""

    def request(self, config: Config, told: Brief) -> Request:
        """Plain text published as JSON: https://docs.ntfy.sh/publish/#publish-as-json."""
        text = told.text(limit=_LIMIT)
        while len(text.encode()) > _LIMIT:
            text = text[: len(text) * 9 // 10]
        body = {
            "topic": config.topic.get_secret_value(),
            "title": f"{told.word}: {told.title}"[:200],
            "message": text,
            "priority": 4 if told.urgent else 3,
            "sequence_id": stable_id(told.message_id, _NAME),
        }
        return Request(config.url.get_secret_value(), body | ({"click": told.page} if told.page else {}),
                       bearer(config.token))  # fmt: skip
