"""Takes erased posts out of what was told: evidence bundles, messages, digests. Pure; counts stay as they were."""

from collections.abc import Collection
from typing import Any

WORDS = ("text", "url", "author", "native_id")
"""What goes of a post that its author took back; where and when it counted stays."""


def without_posts(value: Any, post_ids: Collection[int]) -> Any:
    """`value` (JSON) in which every object of an erased post has lost its words and says `erased`."""
    if isinstance(value, list):
        return [without_posts(v, post_ids) for v in value]
    if not isinstance(value, dict):
        return value
    kept = {k: without_posts(v, post_ids) for k, v in value.items()}
    if value.get("post_id") in post_ids:
        kept |= dict.fromkeys([w for w in WORDS if w in value], "") | {"erased": True}
    return kept
