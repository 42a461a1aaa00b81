"""python -m tests.sources.fuzz [--cases 100000] [--seed 1] [--kind rss] [--corpus FOLDER] [--keep FOLDER]

Damages documents and hands them to every kind's parser: nothing may come out but posts that the database takes or one
of our two errors, each within a second. Prints cases, seconds and findings; exits 1 when there are findings.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from schemas.errors import FramewatchError
from services.sources import SOURCES, parse_file
from tests.sources.kits import KITS, post

LONGEST_CASE = 1.0
"""Seconds a case may take."""
MAX_SEED = 30_000
DEFAULT_CASES = 100_000
TOKENS = (
    *(b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<!DOCTYPE rss>", b"<!DOCTYPE r [", b"<!ENTITY a 'b'>"),
    *(b"&nbsp;", b"&#0;", b"&#xD800;", b"&#150;", b"&a;", b"<item>", b"</item>", b"<entry>", b"</channel>", b"<?xml?>"),
    *(b"<?xml version='1.0' encoding='utf-16'?>", b"<?xml version='1.0' encoding='koi8-r'?>", b"<rdf:RDF>", b"<feed>"),
    *(b" xmlns:a='b'", b" xmlns='http://www.w3.org/2005/Atom'", b" xml:base='//['", b" xml:base='http://[/'", b"<a:b c:d=''>"),
    *(b" type='xhtml'", b" type='base64'", b" mode='base64'", b"<link href='http://['/>", b"<guid>", b"<pubDate>", b"<title>"),
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b$B", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\r\n", b"\x0b", b"\xc2\x85"),
    *(b"{", b"}", b"[", b'"items": [', b'"id": 1e999,', b'"id": ' + b"9" * 5000, b"null", b"\\ud800", b"Infinity", b"-"),
    *(b"2026-13-45", b"+99:00", b"9999-12-31T23:59:59-14:00", "٢٠١٦".encode(), "Ιαν".encode(), b"\x1f\x8b\x08", b"javascript:"),
)  # fmt: skip
ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ru" xml:base="/a/">
<title type="html">A &amp;lt;b></title><link rel="hub" href="https://h.org/"/><link rel="self" href="https://e.org/f"/>
<entry><id>tag:e.org,2016:1</id><title>Заголовок</title><link href="1.html"/><updated>2016-12-11T12:00:00Z</updated>
<author><name>Anna</name></author><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b</p></div>
</content></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>T</title></channel><item rdf:about="http://e.org/1">
<title>A</title><dc:date>2003-12</dc:date><description><![CDATA[<p>b & c</p>]]></description></item></rdf:RDF>"""
JSON_FEED = """{"version": "https://jsonfeed.org/version/1.1", "title": "T", "hubs": [{"type": "WebSub", "url": "https://h/"}],
 "items": [{"id": 1, "content_html": "<p>a</p>", "date_published": "2016-12-11T12:00:00Z", "authors": [{"name": "A"}]}]}"""


@dataclass
class Outcome:
    """What a run came to."""

    cases: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    results: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Kind, what happened, and the document it happened with."""


def seeds(kind: str) -> list[bytes]:
    """Whole documents of `kind` to begin with."""
    own = [KITS[kind].encode([post(1), post(2, text="<b>&amp;</b>"), post(3, url=None)]), KITS[kind].encode([])]
    feeds = [ATOM.encode(), RDF.encode("koi8-r"), JSON_FEED.encode(), ATOM.encode("utf-16")]
    return own + (feeds if kind == "rss" else [])


def damaged(document: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """`document` with one to eight faults of the kinds that networks, editors and attackers make."""
    body = bytearray(document)
    for _ in range(chance.randint(1, 8)):
        at, size = chance.randint(0, len(body)), min(chance.choice((1, 3, 20, 200)), len(body))
        fault = chance.randrange(7)
        if fault == 0:
            body[at : at + size] = b""
        elif fault == 1:
            body[at:at] = chance.choice(TOKENS)
        elif fault == 2:
            body[at : at + size] = chance.randbytes(size)
        elif fault == 3:
            body[at:at] = body[max(at - size, 0) : at] * chance.choice((1, 2, 50))
        elif fault == 4:
            other = chance.choice(others)
            start = chance.randint(0, len(other))
            body[at : at + size] = other[start : start + 200]
        elif fault == 5 and body:
            at = min(at, len(body) - 1)
            body[at] ^= 1 << chance.randrange(8)
        elif chance.random() < 0.3:
            del body[at:]
    return bytes(body)


def run(kinds: list[str], cases: int, seed: int, corpus: list[bytes] | None = None) -> Outcome:
    """Try `cases` documents, spread over `kinds`; the same numbers give the same documents."""
    chance, outcome, began = random.Random(seed), Outcome(), time.perf_counter()
    known = {kind: seeds(kind) + list(corpus or ()) for kind in kinds}
    for number in range(cases):
        kind = kinds[number % len(kinds)]
        body = damaged(chance.choice(known[kind]), known[kind], chance)
        before = time.perf_counter()
        said = tried(kind, body)
        spent = time.perf_counter() - before
        outcome.slowest = max(outcome.slowest, spent)
        outcome.results[f"{kind} {said.partition(':')[0]}"] += 1
        if said.startswith("!") or spent > LONGEST_CASE:
            outcome.findings.append((kind, f"{said} in {spent:.2f} s", body))
    outcome.cases, outcome.seconds = cases, time.perf_counter() - began
    return outcome


def tried(kind: str, body: bytes) -> str:
    """What `kind` makes of `body`; begins with `!` when that is a fault of ours."""
    try:
        page = parse_file(kind, body, "https://e.org/feed")
    except FramewatchError as error:
        return error.reason.value
    except Exception as error:  # noqa: BLE001 - which is what is looked for
        return f"!{type(error).__name__}: {error}"
    for one in page.posts:
        text = "\n".join((one.native_id, one.text, one.published_raw, one.url, one.author, one.lang, page.title))
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text) or not one.native_id or not one.text:
            return "!a post that the database refuses"
    return "posts" if page.posts else "no posts"


def documents(folder: Path) -> Iterator[bytes]:
    """Every small file below a folder."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size <= MAX_SEED)
    yield from (path.read_bytes() for path in paths)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=DEFAULT_CASES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=sorted(SOURCES), action="append")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the documents that were findings")
    options = parser.parse_args()
    corpus = [*documents(options.corpus)] if options.corpus else []
    outcome = run(options.kind or sorted(SOURCES), options.cases, options.seed, corpus)
    rate = outcome.cases / outcome.seconds
    print(f"{outcome.cases:,} cases in {outcome.seconds:.0f} s ({rate:,.0f}/s), slowest {outcome.slowest:.3f} s")
    print(", ".join(f"{said} {count:,}" for said, count in sorted(outcome.results.items())))
    print(f"{len(outcome.findings)} findings")
    for kind, said, body in outcome.findings:
        print(f"  {kind}: {said[:200]} ({len(body)} bytes)")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{kind}-{sha256(body).hexdigest()[:12]}").write_bytes(body)
    sys.exit(1 if outcome.findings else 0)


if __name__ == "__main__":
    main()
