"""Telegram by MTProto: through our guard, against a local server that speaks it; messages to posts; refusals worded."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("telethon", reason="the extra `telegram` is not installed")

from telethon.tl import functions, types

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import source_for
from services.sources.base import Means
from services.sources.telegram.mtproto import post_of
from tests.sources.kits import NOW, feed_of
from tests.sources.telegram_server import rpc_error, session, telegram

NAME = "palmyra_news"
DATE = datetime(2026, 11, 1, tzinfo=UTC)
CHANNEL = 1234567890


def channel(number=CHANNEL, name="Palmyra_News"):
    return types.Channel(
        number, "Palmyra News", types.ChatPhotoEmpty(), DATE, access_hash=77, username=name, broadcast=True
    )


def message(number, text="words", **fields):
    return types.Message(number, types.PeerChannel(CHANNEL), DATE, text, **fields)


ME = types.User(1, is_self=True, access_hash=1, first_name="Me")
SETTING_UP = {
    "GetConfigRequest": bytes(types.Config(DATE, DATE, False, 2, [], "", *[0] * 21, "", 0, 0, 0)),
    "GetUsersRequest": struct.pack("<Ii", 0x1CB5C415, 1) + bytes(ME),
    "GetStateRequest": bytes(types.updates.State(1, 0, DATE, 0, 0)),
    "GetDifferenceRequest": bytes(types.updates.DifferenceEmpty(DATE, 0)),
}
"""What a client asks for itself."""


class Account:
    """What Telegram answers an account that reads one channel."""

    def __init__(self, messages, chats=()):
        self.messages = {m.id: m for m in messages}
        self.chats = [channel(), *chats]

    def __call__(self, request):
        if isinstance(request, functions.contacts.ResolveUsernameRequest):
            return bytes(types.contacts.ResolvedPeer(types.PeerChannel(CHANNEL), self.chats[:1], []))
        if isinstance(request, functions.messages.GetHistoryRequest):
            return self._history(request)
        return SETTING_UP[type(request).__name__]

    def _history(self, asked):
        assert (asked.peer.channel_id, asked.peer.access_hash) == (CHANNEL, 77)
        ids = sorted(self.messages, reverse=True)
        at = next((i for i, n in enumerate(ids) if not asked.offset_id or n < asked.offset_id), len(ids))
        start = max(at + asked.add_offset, 0)
        end = max(at + asked.add_offset + asked.limit, 0)
        found = [self.messages[n] for n in ids[start:end] if n > asked.min_id]
        return bytes(types.messages.ChannelMessages(1, len(ids), found, [], self.chats, []))


def means(port, allowed=True, **keys):
    kept = {"telegram_api_id": "12345", "telegram_api_hash": "0" * 32, "telegram_session": session(port)} | keys
    return Means(Fetcher(allow_networks=f"127.0.0.1:{port}" if allowed else ""), None, keys=kept)


def fetch(port, cursor=None, **changes):
    feed = feed_of("telegram", f"https://t.me/s/{NAME}", cursor=json.loads(json.dumps(cursor or {})))
    return source_for("telegram", means(port, **changes)).fetch(feed, NOW)


def numbers(page):
    return [int(p.native_id.rpartition("/")[2]) for p in page.posts]


def test_a_channel_is_read_through_our_guard_and_its_number_is_asked_for_once():
    account = Account([message(n) for n in range(1, 21)])
    with telegram(account) as (port, asked):
        first = fetch(port)
        account.messages |= {n: message(n) for n in range(21, 24)}
        second = fetch(port, first.cursor)
    assert numbers(first) == [*range(1, 21)]
    assert first.cursor == {"name": NAME, "last": 20, "channel": CHANNEL, "hash": 77}
    assert numbers(second) == [*range(1, 24)]
    assert asked.count("ResolveUsernameRequest") == 1


def test_what_came_since_is_read_forwards_page_by_page_and_nothing_is_left_out():
    account = Account([message(n) for n in range(1, 351)])
    with telegram(account) as (port, _):
        pages, cursor = [], {"name": NAME, "last": 40, "channel": CHANNEL, "hash": 77}
        while not pages or pages[-1].more:
            pages.append(fetch(port, cursor))
            if len(pages) == 2:  # read, but never stored: a crash
                pages.append(fetch(port, cursor))
            cursor = pages[-1].cursor
    assert {n for page in pages for n in numbers(page)} >= {*range(41, 351)}
    assert cursor["last"] == 350


def test_an_edit_of_a_recent_message_is_seen():
    account = Account([message(n) for n in range(1, 21)])
    with telegram(account) as (port, _):
        first = fetch(port)
        account.messages[15] = message(15, "other words")
        assert {p.text for p in fetch(port, first.cursor).posts} == {"words", "other words"}


def test_an_address_inside_is_refused_and_never_connected_to():
    with telegram(Account([])) as (port, asked), pytest.raises(PermanentError) as caught:
        fetch(port, allowed=False)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert asked == []


@pytest.mark.parametrize(
    ("code", "words", "kind", "reason"),
    [
        (420, "FLOOD_WAIT_90", TransientError, Reason.RATE_LIMITED),
        (401, "SESSION_REVOKED", PermanentError, Reason.NO_CREDENTIALS),
        (406, "AUTH_KEY_DUPLICATED", PermanentError, Reason.NO_CREDENTIALS),
        (400, "USERNAME_NOT_OCCUPIED", TransientError, Reason.NOT_FOUND),
        (400, "CHANNEL_PRIVATE", PermanentError, Reason.NO_ACCESS),
        (400, "SOMETHING_NEW", TransientError, Reason.REFUSED),
    ],
)
def test_a_refusal_is_told_in_words(code, words, kind, reason):
    account = Account([])

    def answer(request):
        return rpc_error(code, words) if "Resolve" in type(request).__name__ else account(request)

    with telegram(answer) as (port, _), pytest.raises(kind) as caught:
        fetch(port)
    assert caught.value.reason is reason
    assert session(port) not in str(caught.value)
    if reason is Reason.RATE_LIMITED:
        assert caught.value.retry_after == timedelta(seconds=90)


def test_nobody_there_is_unreachable():
    with telegram(Account([])) as (port, _):
        pass
    with pytest.raises(TransientError) as caught:
        fetch(port)
    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"telegram_session": "no session"}, "is no session"), ({"telegram_api_id": "many"}, "must be the number")],
)
def test_credentials_that_cannot_be_are_told(changes, said):
    with pytest.raises(PermanentError, match=said):
        fetch(1, **changes)


def test_a_message_becomes_a_post():
    origin = types.MessageFwdHeader(DATE, from_id=types.PeerChannel(99), channel_post=7)
    found = post_of(message(5, "told", fwd_from=origin), NAME, {99: "Origin_Chan"})
    assert (found.native_id, found.url, found.author) == (f"{NAME}/5", f"https://t.me/{NAME}/5", NAME)
    assert (found.text, found.published_at, found.repost_of) == ("told", DATE, "origin_chan/7")
    assert post_of(message(5, "told", fwd_from=origin), NAME, {}).repost_of == ""
    assert post_of(message(6, ""), NAME, {}) == "no_text"
    pinned = types.MessageService(7, types.PeerChannel(CHANNEL), DATE, types.MessageActionPinMessage())
    assert post_of(pinned, NAME, {}) is None
    assert post_of(types.MessageEmpty(8, types.PeerChannel(CHANNEL)), NAME, {}) is None


def test_a_feed_may_stay_with_the_preview():
    feed = feed_of("telegram", f"https://t.me/s/{NAME}", options={"way": "preview", "api": "http://127.0.0.1:1"})
    with pytest.raises(PermanentError) as caught:
        source_for("telegram", replace(means(1), fetcher=Fetcher())).fetch(feed, NOW)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
