"""Feed parsing beside plain feedparser, on the same bytes in one run.

python -m bench.parsing [FILE...]   (without files: made-up feeds of the usual kinds)
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import feedparser

from services.analysis.times import parse_time
from services.sources.rss import parse

GOAL = 3.0
ROUNDS = 7
ITEM = """<item><title>Headline number {n} &amp; more</title><link>https://e.org/{n}?utm_source=rss</link>
<guid isPermaLink="false">id-{n}</guid><dc:creator>Anna {n}</dc:creator><pubDate>Sun, 11 Dec 2016 12:00:00 GMT</pubDate>
<category>News</category><description>A short word about number {n}</description>
<content:encoded><![CDATA[{body}]]></content:encoded></item>"""
BODY = "<p>Some <b>bold</b> words with a <a href='https://e.org/x'>link</a>, and more of them after that.</p>" * 12
HEAD = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>A feed</title>"""


def made_up() -> dict[str, bytes]:
    """One feed of 50 items: whole, broken, and in Cyrillic letters."""
    items = "".join(ITEM.format(n=n, body=BODY) for n in range(50))
    whole = f"{HEAD}{items}</channel></rss>"
    cyrillic = whole.replace("words", "слова").replace('"1.0"?', '"1.0" encoding="windows-1251"?')
    return {
        "RSS 2.0, 50 items": whole.encode(),
        "the same, broken": whole.replace("&amp;", "&nbsp; & <br>").encode(),
        "the same, windows-1251": cyrillic.encode("windows-1251"),
    }


def ours_of(body: bytes) -> int:
    """Posts in `body`, with nothing remembered from the round before."""
    parse_time.cache_clear()
    return len(parse(body, address="https://e.org/feed.xml").posts)


def seconds(action: Callable[[], object]) -> float:
    """Processor time of `action`, which other programs do not lengthen."""
    began = time.process_time()
    action()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    feeds = {path.name: path.read_bytes() for path in files} or made_up()
    ratios = []
    for name, body in feeds.items():
        ours, theirs = [], []
        for _ in range(ROUNDS):  # turn by turn, so that a busy machine slows both
            ours.append(seconds(partial(ours_of, body)))
            theirs.append(seconds(partial(feedparser.parse, body)))
        posts, entries = ours_of(body), len(feedparser.parse(body).entries)
        ratio = median(theirs) / median(ours)
        ratios.append(ratio)
        print(
            f"{name}: {len(body) / 1024:,.0f} KB; ours {median(ours) * 1000:.1f} ms ({posts} posts), "
            f"feedparser {median(theirs) * 1000:.1f} ms ({entries} entries): {ratio:.1f} times as fast"
        )
    print(f"parsing: {median(ratios):.1f} times feedparser's speed (median of {len(ratios)}; goal {GOAL:.0f})")


if __name__ == "__main__":
    main()
