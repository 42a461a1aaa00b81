"""Nostr: addresses, keys, signatures, deletions, and relays with bad manners."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.sources import bech32, mode_of, nostr, nostr_relay, parse_file, read_address
from services.sources.nostr import LEAST_LIMIT
from services.sources.nostr_events import read_event
from tests.fetch.sockets import serve_sockets, until_closed
from tests.sources.kits import NOW, feed_of, fetch, source_of
from tests.sources.kits.nostr import ANNA, BORIS, THEN, encode, event, key_of, native
from tests.sources.relays import saying, small_relay

# The examples of NIP-19.
NPUB = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
HEX = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"


def feed_at(server, wanted="", **changes):
    return feed_of("nostr", read_address("nostr", server.url + wanted), **changes)


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


FIELDS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")
VALUES = st.none() | st.integers() | st.text() | st.just("a" * 64) | st.just("b" * 128) | st.lists(st.lists(st.text()))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES)
def test_any_value_is_an_event_or_not(value):
    assert isinstance(read_event(value), str)


def test_the_kit_speaks_of_this_time():
    page = parse_file("nostr", encode([{"text": "x", "published_at": "2016-12-11T12:00:00Z"}]), "wss://e.org")
    assert (page.posts[0].published_at, page.posts[0].author) == (datetime.fromtimestamp(THEN, UTC), key_of(ANNA))
