"""Discord's webhook, which is asked to wait."""

import re

from tests.channels.kits import Kit, all_words

PATH = "/api/webhooks/123456789/s3cret-s3cret-s3cret"

KIT = Kit(
    config=lambda base: {"url": base + PATH},
    secrets=("s3cret-s3cret-s3cret",),
    identity=lambda got: got.json["embeds"][0]["footer"]["text"].rpartition(" ")[2],
    text=lambda got: re.sub(r"\\(.)", r"\1", all_words(got)),
    path=PATH + "?wait=true",
)
