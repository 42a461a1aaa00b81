"""Which kind an address belongs to."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.sources import SOURCES
from services.sources.guess import FORMS, recognise

GIVEN = {
    "rss": [
        "https://example.org/feed", "example.org", "feed://e.org/x", "россия.рф/rss", "http://127.0.0.1:8/feed",
        "https://unknown.example/@user", "https://phoenix.com/rss", "https://notreddit.com/x", "https://box.com/t.me/x",
        "https://mastodon.social/@Gargron.rss",
    ],
    "jsonl": ["posts.jsonl", "sub/posts.ndjson.gz", "https://e.org/a.jsonl?x=1"],
    "telegram": ["t.me/rian_ru", "https://t.me/s/rian_ru", "telegram.me/rian_ru", "tg://resolve?domain=a"],
    "youtube": ["youtube.com/@aljazeeraenglish", "m.youtube.com/channel/UC1", "UCfiwzLy-8yKzIbsmZTzxDgw", "youtu.be/x"],
    "reddit": ["r/syria", "/r/syria/comments", "https://old.reddit.com/r/syria", "reddit.com/user/a"],
    "x": ["x.com/bellingcat", "https://twitter.com/a", "https://mobile.twitter.com/a"],
    "bluesky": ["bsky.app/profile/name.bsky.social", "did:plc:abc", "at://did:plc:x/app.bsky.graph.list/y", "keyword:Palmyra"],
    "nostr": ["wss://relay.example.org", "npub1" + "q" * 58],
    "hackernews": ["https://news.ycombinator.com/newest"],
    "gdelt": ["https://api.gdeltproject.org/api/v2/doc/doc?query=Palmyra"],
    "lemmy": ["!syria@lemmy.world", "https://lemmy.ml/c/syria"],
    "mastodon": ["@a@mastodon.social", "#syria@example.social", "https://mastodon.social/tags/syria"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "address"), [(kind, a) for kind, given in GIVEN.items() for a in given])
def test_the_first_form_that_fits_names_the_kind(kind, address):
    fitting = [form.kind for form in FORMS if re.fullmatch(form.pattern, address, re.IGNORECASE)]
    assert fitting[:1] == [kind]


@pytest.mark.parametrize("kind", [kind for kind in GIVEN if kind in SOURCES])
def test_a_kind_takes_the_first_address_that_has_its_form(kind):
    found, address = recognise(GIVEN[kind][0])
    assert (found, recognise(address, kind)) == (kind, (kind, address))


def test_an_address_comes_back_in_its_one_form_and_a_named_kind_wins():
    assert recognise(" example.org/feed ") == ("rss", "https://example.org/feed")
    assert recognise("https://e.org/posts.jsonl", "rss") == ("rss", "https://e.org/posts.jsonl")


@pytest.mark.parametrize(
    "address", ["", "@name", "#word", "two words", "ftp://e.org/x", "javascript:alert(1)", "localhost"]
)
def test_what_tells_no_kind_is_refused_with_forms_that_would(address):
    with pytest.raises(PermanentError, match=r"https://example.org/feed.xml \(rss\).*--kind KIND") as caught:
        recognise(address)
    assert caught.value.reason is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    "address", ["https://e.org/\0", "a\udcff.jsonl", "posts\n.jsonl", "https://e.org/" + "x" * 3000]
)
@pytest.mark.parametrize("kind", ["", "jsonl", "rss"])
def test_what_no_row_can_hold_is_refused(address, kind):
    with pytest.raises(PermanentError) as caught:
        recognise(address, kind)
    assert caught.value.reason is Reason.BAD_ADDRESS


def test_an_unknown_kind_and_a_bad_address_of_a_named_one_say_so():
    with pytest.raises(PermanentError, match="is not a kind") as caught:
        recognise("https://e.org/", "carrier-pigeon")
    assert caught.value.reason is Reason.UNKNOWN_KIND
    with pytest.raises(PermanentError, match=r"https://example\.org/feed\.xml"):
        recognise("two words", "rss")


@given(st.text(max_size=60))
def test_nothing_but_our_own_error_comes_out(text):
    try:
        kind, address = recognise(text)
    except PermanentError:
        return
    assert recognise(address, kind) == (kind, address)
