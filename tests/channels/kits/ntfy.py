"""An ntfy server that takes JSON at its root."""

from tests.channels.kits import Kit

KIT = Kit(
    config=lambda base: {"url": base, "topic": "s3cret-topic", "token": "tk_s3cretToken"},
    secrets=("s3cret-topic", "tk_s3cretToken"),
    identity=lambda got: got.json["sequence_id"],
    path="/",
)
