"""Posts as JSON lines."""

import json
from typing import Any

from tests.sources.kits import Kit


def encode(posts: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(p) + "\n" for p in posts).encode()


KIT = Kit(encode)
