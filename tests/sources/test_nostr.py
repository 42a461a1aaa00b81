"""Nostr without a relay: addresses, keys, signatures, reposts, deletions."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.sources import mode_of, parse_file, read_address
from services.sources.nostr import bech32
from services.sources.nostr.events import read_event
from tests.sources.kits.nostr import ANNA, BORIS, THEN, encode, event, key_of, native

# The examples of NIP-19.
NPUB = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
HEX = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"


def lines(*events):
    return "".join(json.dumps(e) + "\n" for e in events).encode()


def parsed(*events, address="wss://e.org"):
    return parse_file("nostr", lines(*events), address)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("wss://Relay.example", "wss://relay.example"),
        (" relay.example/ ", "wss://relay.example"),
        ("https://relay.example/nostr", "wss://relay.example/nostr"),
        ("ws://127.0.0.1:7000#t=Syria,palmyra&t=%23syria", "ws://127.0.0.1:7000#t=palmyra,syria"),
        ("wss://relay.example#Palmyra", "wss://relay.example#t=palmyra"),
        (f"wss://relay.example#kinds=1&authors={NPUB}", f"wss://relay.example#authors={HEX}&kinds=1"),
        (f"wss://relay.example#authors={NPUB.upper()},{HEX}&kinds=16,1,6", f"wss://relay.example#authors={HEX}"),
    ],
)
def test_an_address_is_kept_in_one_form(typed, kept):
    assert read_address("nostr", typed) == kept


@pytest.mark.parametrize(
    "wanted", ["#authors=npub1xyz", f"#authors={NPUB[:-1]}q", "#kinds=0", "#kinds=4", "#kinds=x", "#search=x", "#t=a b"]
)
def test_other_filters_are_refused_with_an_example(wanted):
    with pytest.raises(PermanentError, match="npub1…") as caught:
        read_address("nostr", "wss://relay.example" + wanted)
    assert caught.value.reason is Reason.BAD_ADDRESS


def test_both_ways_of_hearing_are_offered():
    assert (mode_of("nostr"), mode_of("nostr", "stream")) == ("poll", "stream")


def test_keys_are_read_and_written_as_people_write_them():
    assert bech32.decode("npub", NPUB).hex() == HEX
    assert bech32.encode("npub", bytes.fromhex(HEX)) == NPUB
    assert bech32.decode("note", NPUB) is None


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(["npub", "note"]))
def test_bech32_comes_back(data, prefix):
    text = bech32.encode(prefix, data)
    assert bech32.decode(prefix, text) == data
    assert bech32.decode(prefix, text[:-1] + ("q" if text[-1] != "q" else "p")) is None


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_is_a_key_or_none(text):
    assert bech32.decode("npub", text) is None


@pytest.mark.parametrize(
    "forged",
    [
        event("true") | {"content": "false"},
        event("true") | {"created_at": THEN + 1},
        event("true") | {"tags": [["t", "x"]]},
        event("true") | {"kind": 6},
        event("true") | {"sig": "0" * 128},
        event("true") | {"sig": event("other")["sig"]},
        event("true") | {"pubkey": key_of(BORIS)},
        event("true") | {"pubkey": "f" * 64},
    ],
)
def test_a_forged_event_is_no_post(forged):
    page = parsed(forged, event("kept"))
    assert [p.text for p in page.posts] == ["kept"]
    assert dict(page.dropped) == {"bad_signature": 1}


BROKEN = {"id": "F" * 64, "created_at": "1", "kind": True, "tags": ["t"], "content": None, "sig": 5, "pubkey": "x"}


@pytest.mark.parametrize(
    "broken",
    [None, 1, {}, {"id": "x"}, *(event() | {name: value} for name, value in BROKEN.items()), event() | {"tags": [[1]]},
     event() | {"created_at": 1.5}, event() | {"created_at": 2**63}],
)  # fmt: skip
def test_a_broken_event_is_counted(broken):
    page = parsed(broken, event("kept"))
    assert [p.text for p in page.posts] == ["kept"]
    assert dict(page.dropped) == {"bad_event": 1}


def test_events_are_read_bare_or_as_relays_send_them():
    one, two, three = event("one"), event("two"), event("three")
    body = lines(["EVENT", "sub", one], two, ["EOSE", "sub"], ["NOTICE", "hi"], [three]) + b"garbage\n\n"
    page = parse_file("nostr", body, "saved.jsonl")
    assert [p.text for p in page.posts] == ["one", "two", "three"]
    assert dict(page.dropped) == {"bad_event": 1}


def test_what_was_not_asked_for_is_left_out():
    tagged, plain = event("a", tags=[("t", "Palmyra")]), event("b")
    profile = event('{"name": "Anna"}', kind=0)
    page = parsed(tagged, plain, profile, address="wss://e.org#t=palmyra")
    assert [p.text for p in page.posts] == ["a"]
    assert dict(page.dropped) == {"not_asked": 2}
    by = parsed(tagged, event("c", by=BORIS), address=f"wss://e.org#authors={key_of(BORIS)}")
    assert [p.author for p in by.posts] == [key_of(BORIS)]


@pytest.mark.parametrize(("at", "told"), [(0, 1970), (-(10**17), None), (10**17, None), (32503680000, 3000)])
def test_a_time_is_the_authors_own(at, told):
    post = parsed(event("x", at=at)).posts[0]
    assert (post.published_at.year if post.published_at else None) == told


def test_a_repost_without_its_original_has_no_text():
    empty = event("", kind=6, tags=[("e", "a" * 64), ("p", key_of(BORIS))])
    lying = event(json.dumps(event("x", by=BORIS) | {"content": "y"}), kind=6, tags=[("e", "a" * 64)])
    assert dict(parsed(empty, lying).dropped) == {"no_text": 2}


def test_a_deletion_reaches_only_its_authors_posts():
    mine, other = event("mine"), event("other", by=BORIS)
    order = event("please", kind=5, tags=[("e", mine["id"]), ("e", other["id"]), ("e", "nonsense"), ("a", "30023:x:y")])
    page = parsed(mine, other, order)
    assert [p.text for p in page.posts] == ["other"]
    assert native(mine) in page.deleted
    assert native(other) not in page.deleted


def test_a_saved_web_page_is_refused():
    with pytest.raises(PermanentError, match="web page"):
        parse_file("nostr", b"<!DOCTYPE html><html><body>Hi</body></html>", "wss://e.org")


FIELDS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")
VALUES = st.none() | st.integers() | st.text() | st.just("a" * 64) | st.just("b" * 128) | st.lists(st.lists(st.text()))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES)
def test_any_value_is_an_event_or_not(value):
    assert isinstance(read_event(value), str)


def test_the_kit_speaks_of_this_time():
    page = parse_file("nostr", encode([{"text": "x", "published_at": "2016-12-11T12:00:00Z"}]), "wss://e.org")
    assert (page.posts[0].published_at, page.posts[0].author) == (datetime.fromtimestamp(THEN, UTC), key_of(ANNA))
