"""Nostr against a real relay (rust-nostr): what it stores is read, checked, paged, taken back and heard live."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import Reason, TransientError
from services.sources import nostr, read_address
from services.sources.nostr import bech32
from services.sources.nostr.events import identity, read_event
from tests.sources.kits import feed_of, fetch, source_of
from tests.sources.kits.nostr import ANNA, BORIS, event, key_of, native
from tests.sources.relays import real_relay
from tests.waiting import ended

sdk = pytest.importorskip("nostr_sdk")
NOW = datetime.now(UTC).replace(microsecond=0)
SECONDS = int(NOW.timestamp())


def feed_at(relay, wanted="", **changes):
    return feed_of("nostr", read_address("nostr", relay.url + wanted), **changes)


def read_on(relay, feed):
    pages = []
    while not pages or pages[-1].more:
        pages.append(fetch(relay, replace(feed, cursor=pages[-1].cursor if pages else feed.cursor), NOW))
        assert len(pages) < 30
    return pages


def told(number, **stated):
    return event(f"Post number {number}", **({"at": SECONDS - 3600 + number} | stated))


def test_what_a_relay_has_becomes_posts():
    with real_relay(sdk) as relay:
        mine, other = told(1, tags=[("t", "palmyra")]), told(2, by=BORIS)
        assert relay.publish(mine, other) == [[True, ""], [True, ""]]
        page = fetch(relay, feed_at(relay), NOW)
        tagged = fetch(relay, feed_at(relay, "#t=palmyra"), NOW)
        by_author = fetch(relay, feed_at(relay, f"#authors={bech32.encode('npub', bytes.fromhex(key_of(BORIS)))}"), NOW)
    assert {p.native_id: p.author for p in page.posts} == {native(mine): key_of(ANNA), native(other): key_of(BORIS)}
    assert (page.complete, page.more, page.as_of, dict(page.dropped)) == (True, False, None, {})
    assert [p.text for p in tagged.posts] == ["Post number 1"]
    assert [p.text for p in by_author.posts] == ["Post number 2"]


@pytest.mark.parametrize("text", ["Пальмира 🏛️", 'quote " back \\ slash / \t\r\n\b\f', "\x01\x7f\u2028\u200d", "a\x00b"])
def test_what_the_library_signs_is_what_we_check(text):
    keys = sdk.Keys.generate()
    signed = sdk.EventBuilder(sdk.Kind(1), text).tags([sdk.Tag.parse(["t", text])]).finalize(keys)
    stated = json.loads(signed.as_json())
    assert read_event(stated).content == text
    assert read_event(stated | {"content": text + "."}) == "bad_signature"
    assert bech32.encode("npub", bytes.fromhex(stated["pubkey"])) == keys.public_key().to_bech32()
    assert bech32.encode("note", bytes.fromhex(stated["id"])) == signed.id().to_bech32()


def test_an_answer_that_the_relay_cuts_off_is_read_back_to_the_end():
    events = [told(n) for n in range(330)]
    with real_relay(sdk, most=40) as relay:
        relay.publish(*events)
        floor = {"floor": (NOW - timedelta(hours=2)).isoformat()}
        feed = feed_at(relay)
        feed = replace(feed, cursor={"address": feed.address, "posts": floor})
        pages = read_on(relay, feed)
        again = read_on(relay, replace(feed, cursor=pages[-1].cursor))
    found = {p.native_id for page in pages for p in page.posts}
    assert found == {native(e) for e in events}
    assert len(pages) == 3
    assert all(p.complete for p in pages)
    assert [bool(p.heard_until) for p in pages] == [True, True, False]
    assert {p.native_id for page in again for p in page.posts} <= found


def test_only_authors_take_back_what_they_wrote():
    mine, other = told(1), told(2, by=BORIS)
    order = event("", kind=5, at=SECONDS - 60, tags=[("e", mine["id"]), ("e", other["id"]), ("k", "1")])
    with real_relay(sdk) as relay, real_relay(sdk) as elsewhere:
        relay.publish(mine, other)
        assert relay.publish(order)[0][0] is False  # this relay knows whose they are,
        assert elsewhere.publish(order) == [[True, ""]]  # that one cannot
        forged = fetch(elsewhere, feed_at(elsewhere), NOW)
        relay.publish(event("", kind=5, at=SECONDS - 60, tags=[("e", mine["id"])]))
        page = fetch(relay, feed_at(relay, "#t=any"), NOW)
        rest = fetch(relay, feed_at(relay), NOW)
    assert native(mine) in forged.deleted
    assert native(other) not in forged.deleted
    assert page.deleted == (native(mine),)
    assert [p.native_id for p in rest.posts] == [native(other)]


def test_a_repost_names_what_it_repeats():
    original = told(1, by=BORIS)
    whole = event(
        json.dumps(original), kind=6, at=SECONDS - 9, tags=[("e", original["id"], "wss://e.org"), ("p", key_of(BORIS))]
    )
    with real_relay(sdk) as relay:
        relay.publish(whole)
        page = fetch(relay, feed_at(relay), NOW)
    assert [(p.text, p.repost_of, p.author) for p in page.posts] == [("Post number 1", native(original), key_of(ANNA))]
    assert identity(original["id"], key_of(BORIS)) == native(original)


def test_two_relays_know_one_post_by_one_name():
    one = told(1)
    with real_relay(sdk) as relay, real_relay(sdk) as other:
        relay.publish(one)
        other.publish(one)
        assert fetch(relay, feed_at(relay), NOW).posts == fetch(other, feed_at(other), NOW).posts


def test_a_relay_for_members_is_told_as_such():
    with real_relay(sdk, members_only=True) as relay, pytest.raises(TransientError, match="only for members") as caught:
        fetch(relay, feed_at(relay), NOW)
    assert caught.value.reason is Reason.NO_ACCESS


def test_a_stream_brings_what_was_missed_and_what_comes(monkeypatch):
    monkeypatch.setattr(nostr, "HEARTBEAT", timedelta(seconds=1))
    missed, live = told(1), told(2)
    with real_relay(sdk) as relay:
        relay.publish(missed)
        stopping = threading.Event()
        pages = source_of("nostr", relay).listen(feed_at(relay), lambda: NOW, stopping.is_set)
        heard = [next(pages)]
        assert [p.native_id for p in heard[0].posts] == [native(missed)]
        publishing = threading.Thread(
            target=relay.publish, args=[live, event("", kind=5, at=SECONDS, tags=[("e", missed["id"])])]
        )
        publishing.start()
        while native(missed) not in heard[-1].deleted:
            heard.append(next(pages))
        ended(publishing)
        stopping.set()
        assert list(pages) == []
        resumed = fetch(relay, feed_at(relay, cursor=heard[-1].cursor), NOW)
    assert native(live) in {p.native_id for page in heard[1:] for p in page.posts}
    assert not resumed.more
