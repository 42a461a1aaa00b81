"""Telegram's Bot API."""

from tests.channels.kits import Kit

TOKEN = "123456789:AAEs3cret-s3cret-s3cret-s3cret-s3cr"

KIT = Kit(
    config=lambda base: {"url": base, "token": TOKEN, "chat": "-1001234567890"},
    secrets=(TOKEN, TOKEN.partition(":")[2]),
    identity=lambda got: got.json["text"].rpartition("Message ")[2],
    path=f"/bot{TOKEN}/sendMessage",
)
