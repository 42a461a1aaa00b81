"""YouTube's own feed of a channel's or a playlist's fifteen newest videos (Atom), which needs no key. Pure.

Where the feed states a video's channel, that is its author; the display name never is.
"""

import re
from dataclasses import replace

from schemas.records import FetchedPost, Page
from services.sources import rss

_ENTRY = re.compile(rb"<entry\b.*?</entry\s*>", re.DOTALL)
_VIDEO = re.compile(rb"<yt:videoId>\s*([\w-]{6,20})\s*</yt:videoId>")
_CHANNEL = re.compile(rb"<yt:channelId>\s*(UC[\w-]{22})\s*</yt:channelId>")
_NATIVE_ID = re.compile(r"yt:video:([\w-]{6,20})", re.ASCII)


def read_feed(body: bytes, *, address: str, channel: str = "") -> Page:
    """The videos in a feed document; `channel` is their author where it does not say. Raises what rss.parse raises."""
    page = rss.parse(body, address=address)
    authors = {}
    for entry in _ENTRY.findall(body):
        if (video := _VIDEO.search(entry)) and (owner := _CHANNEL.search(entry)):
            authors[video[1].decode()] = owner[1].decode()
    posts = tuple(_video(post, authors, channel) for post in page.posts)
    return Page(posts=posts, dropped=page.dropped, title=page.title, window=True)


def _video(post: FetchedPost, authors: dict[str, str], channel: str) -> FetchedPost:
    found = _NATIVE_ID.fullmatch(post.native_id)
    identity = found[1] if found else post.native_id
    return replace(post, native_id=identity, author=authors.get(identity, channel))
