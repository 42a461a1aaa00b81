"""A Matrix home server: PUT, with the transaction in the path."""

from tests.channels.kits import Kit

KIT = Kit(
    config=lambda base: {"url": base, "room": "!abc:example.org", "token": "syt_s3cret_token"},
    secrets=("syt_s3cret_token",),
    identity=lambda got: got.path.rpartition("/")[2],
    path="/_matrix/client/v3/rooms/%21abc%3Aexample.org/send/m.room.message/",
)
