"""A workflow of Teams that takes a card."""

from tests.channels.kits import Kit

PATH = "/workflows/0a1b2c3d4e5f/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cret-s1gnature"

KIT = Kit(
    config=lambda base: {"url": base + PATH},
    secrets=("s3cret-s1gnature", "0a1b2c3d4e5f"),
    identity=lambda got: got.json["attachments"][0]["content"]["body"][-1]["inlines"][0]["text"].rpartition(" ")[2],
    path=PATH,
)
