"""Mattermost's incoming webhook."""

import re

from tests.channels.kits import Kit, all_words

PATH = "/hooks/xxxs3cretxxx"

KIT = Kit(
    config=lambda base: {"url": base + PATH},
    secrets=("xxxs3cretxxx",),
    identity=lambda got: got.json["attachments"][0]["footer"].rpartition(" ")[2],
    text=lambda got: re.sub(r"\\(.)", r"\1", all_words(got)),
    path=PATH,
)
