"""A mail server, and what it took."""

from email import message_from_bytes, policy

from tests.channels.kits import Got, Kit

PASSWORD = "open-sesame-4711"


def _config(base: str) -> dict:
    host, _, port = base.removeprefix("http://").partition(":")
    return {
        "to": "team@example.org", "sender": "framewatch <watch@example.org>", "host": host, "port": int(port),
        "security": "none", "username": "watch", "password": PASSWORD,
    }  # fmt: skip


def read(got: Got):
    return message_from_bytes(got.body, policy=policy.default)


KIT = Kit(
    config=_config,
    secrets=(PASSWORD,),
    identity=lambda got: read(got)["Message-ID"],
    text=lambda got: read(got).get_body(("plain",)).get_content(),
    transport="smtp",
    most=10**6,
)
