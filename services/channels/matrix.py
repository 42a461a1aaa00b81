"""Matrix, as a plain text event; its transaction id is made from the message's, so that a repeat is the same event."""

import re
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, SecretStr

from services.channels.base import ChannelConfig
from services.channels.brief import Brief
from services.channels.chat import Chat
from services.channels.over_http import Request, Token, WebUrl, bearer


def _check_room(room: str) -> str:
    if not re.fullmatch(r"![!-~]{1,250}", room):
        raise ValueError("must be the room's own id, which begins with ! (room settings, Advanced)")
    return room


def _check_token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value():
        raise ValueError("must be an access token of the account that is to write")
    return token


class Config(ChannelConfig):
    """The home server, a room the account has joined, and the account's access token."""

    url: WebUrl
    room: Annotated[str, AfterValidator(_check_room)]
    token: Annotated[Token, AfterValidator(_check_token)]


class Matrix(Chat):
    """One Matrix room. Rooms with encryption get the text unencrypted."""

    def request(self, config: Config, told: Brief) -> Request:
        """One m.room.message without formatted body and without mentions (Matrix client-server API, v3)."""
        room, event = quote(config.room, safe=""), quote(told.message_id, safe="")
        path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{event}"
        kind = "m.text" if told.urgent else "m.notice"
        body: dict[str, Any] = {"msgtype": kind, "body": told.text(limit=8000), "m.mentions": {}}
        return Request(config.url.get_secret_value().rstrip("/") + path, body, bearer(config.token), method="PUT")
