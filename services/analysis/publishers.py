"""Whose words a post passes on: publishers behind its links, by registrable domain. Pure; it must not ask the network.

The public suffix list comes with the package `publicsuffixlist`, and is as new as that.
"""

import re
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from services.analysis.links import domain

ARTICLES = frozenset({"rss", "gdelt", "jsonl", "push"})
"""Sources whose posts are articles at their own addresses; elsewhere an address names the platform."""
MOST = 20
"""Publishers kept of one post."""
NOBODYS = frozenset(
    (
        *("t.co", "bit.ly", "goo.gl", "tinyurl.com", "ow.ly", "buff.ly", "dlvr.it", "ift.tt", "is.gd", "lnkd.in"),
        *("fb.me", "youtu.be", "trib.al", "j.mp", "tiny.cc", "amzn.to", "wp.me", "rb.gy", "cutt.ly", "t.ly"),
        *("twitter.com", "x.com", "t.me", "telegram.me", "bsky.app", "reddit.com", "redd.it", "youtube.com", "vk.com"),
        *("facebook.com", "fb.com", "instagram.com", "tiktok.com", "threads.net", "threads.com", "ok.ru", "vk.ru"),
        *("linkedin.com", "pinterest.com", "whatsapp.com", "wa.me", "google.com", "twitpic.com"),
    )
)
"""Shorteners, which hide the publisher, and platforms, where anybody publishes."""
_LINK = re.compile(r"https?://[^\s\"'<>«»]{1,300}", re.IGNORECASE)


def publishers(source: str, url: str, text: str) -> tuple[str, ...]:
    """The publishers a post stands on, in the order of the alphabet: those of its links, and of its own address where
    that is an article's."""
    found = {_of_link(link) for link in _LINK.findall(text)} if "://" in text else set()
    if source in ARTICLES:
        found.add(_of_link(url))
    return tuple(sorted(found - NOBODYS - {""}))[:MOST]


@lru_cache(maxsize=20_000)
def registrable(host: str) -> str:
    """The part of a host that somebody registered (`bbc.co.uk` of `news.bbc.co.uk`); an IP address or a name without
    a public suffix is itself."""
    if ":" in host or not host.rpartition(".")[2].strip("0123456789"):
        return host
    return _suffixes().privatesuffix(host) or host


def _of_link(url: str) -> str:
    host = domain(url).rstrip(".")
    return registrable(host) if host else ""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
