"""Items of a web feed → posts. Pure; must not parse documents or decide what items are known by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from schemas.records import FetchedPost
from services.analysis.links import web_link
from services.analysis.text import clean_line, clean_text
from services.analysis.times import parse_time
from services.sources.items import Item, join_text, language
from services.sources.rss.identity import Policy, absolute, identity_of


def posts_of(items: Iterable[Item], *, address: str, policy: Policy) -> tuple[list[FetchedPost], Counter[str]]:
    """The posts of `items` of the feed at `address`, and how many items could not become one, by reason."""
    posts: list[FetchedPost] = []
    dropped: Counter[str] = Counter()
    for item in items:
        identity = identity_of(item, address, policy)
        cleaned, changes = clean_text(join_text(item.title, item.body))
        text = cleaned.strip()
        if identity and text:
            posts.append(replace(_post(item, identity, text, address), cleaned=changes))
        else:
            dropped["no_identity" if text else "no_text"] += 1
    return posts, dropped


def _post(item: Item, identity: str, text: str, address: str) -> FetchedPost:
    return FetchedPost(
        native_id=identity,
        text=text,
        published_at=parse_time(item.date),
        published_raw=clean_line(item.date, limit_bytes=100),
        url=web_link(absolute(item.link, address)),
        author=clean_line(item.author, limit_bytes=200),
        lang=language(item.lang),
    )
