"""Posts as they are sent to us."""

from tests.sources.kits import Kit
from tests.sources.kits.jsonl import encode

KIT = Kit(encode, identity="feed/id-{}".format, address="feed", transport="none")
