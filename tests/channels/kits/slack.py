"""Slack's incoming webhook."""

import html

from tests.channels.kits import Kit, all_words

PATH = "/services/T0000/B0000/XXXXs3cretXXXX"

KIT = Kit(
    config=lambda base: {"url": base + PATH},
    secrets=("XXXXs3cretXXXX",),
    identity=lambda got: got.json["attachments"][0]["footer"].rpartition(" ")[2],
    text=lambda got: html.unescape(all_words(got)),
    path=PATH,
)
