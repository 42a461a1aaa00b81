"""Telegram's preview: passes that resume, forwards, notices, pages that say why not, drift, and posts that are gone."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import parse_file, read_address
from services.sources.base import Known, Means, Rechecking
from services.sources.telegram import TelegramSource, _advance, _read_cursor
from services.sources.telegram.page import Preview
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_at, fetch
from tests.sources.kits.telegram import NAME, message, page

DATE = "2016-12-11T12:00:00+00:00"
HEARD = NOW - timedelta(hours=1)
MISSING = (
    '<div class="tgme_widget_message js-widget_message err_message"><div class="tgme_widget_message_bubble">'
    '<div class="tgme_widget_message_error">Post not found</div></div></div>'
)


class Channel:
    """A channel as t.me shows it: 20 messages a page, `?before=`, and single messages with `?embed=1`."""

    def __init__(self, ids):
        self.ids = sorted(ids)

    def __call__(self, request, stream):
        path = request.split()[1]
        if single := re.fullmatch(rf"/{NAME}/(\d+)\?embed=1", path):
            number = int(single[1])
            body = message(number, "one", DATE) if number in self.ids else MISSING
            stream.sendall(reply(200, body.encode()))
            return
        asked = re.fullmatch(rf"/s/{NAME}(?:\?before=(\d+))?", path)
        before = int(asked[1] or 10**9)
        shown = [n for n in self.ids if n < before][-20:]
        older = shown and shown[0] > self.ids[0]
        texts = "".join(message(n, f"Message {n}", DATE) for n in shown)
        stream.sendall(reply(200, page(texts, before=shown[0] if older else 0)))


def run(server, cursor=None, **options):
    """Fetch until nothing more is to be had at once."""
    feed = feed_at("telegram", server, cursor=cursor or {}, heard_until=HEARD)
    feed = replace(feed, options={**feed.options, **options})
    pages = []
    while not pages or pages[-1].more:
        pages.append(fetch(server, replace(feed, cursor=pages[-1].cursor if pages else feed.cursor)))
        assert len(pages) < 50
    return pages


def numbers(pages):
    return [int(p.native_id.rpartition("/")[2]) for found in pages for p in found.posts]


def single(body, **changes):
    with serve(reply(200, body)) as server:
        return fetch(server, feed_at("telegram", server, **changes))


def source(server):
    return TelegramSource(Means(Fetcher(allow_networks=server.allowed), None), host=server.url)


@pytest.mark.parametrize(
    "address",
    ["@Palmyra_News", "t.me/palmyra_news", "https://t.me/s/palmyra_news", "http://telegram.me/palmyra_news/12?single",
     "tg://resolve?domain=palmyra_news", " https://t.me/palmyra_news/ "],
)  # fmt: skip
def test_every_form_of_a_channels_name_is_one_address(address):
    assert read_address("telegram", address) == "https://t.me/s/palmyra_news"


@pytest.mark.parametrize("address", ["https://t.me/+AbCdEf", "t.me/joinchat/AbCdEf", "https://t.me/c/123/4"])
def test_an_invitation_is_refused_as_such(address):
    with pytest.raises(PermanentError, match="private channel"):
        read_address("telegram", address)


def test_a_new_channel_is_read_back_as_far_as_wanted():
    with serve(Channel(range(1, 301))) as server:
        assert numbers(run(server, pages=3)) == [*range(281, 301), *range(261, 281), *range(241, 261)]
        assert sorted(numbers(run(server))) == [*range(201, 301)]


def test_what_came_since_is_read_back_to_the_last_message_known():
    with serve(Channel([*range(1, 101), *range(130, 190)])) as server:
        pages = run(server, {"name": NAME, "last": 95})
        assert set(numbers(pages)) >= {96, 97, 98, 99, 100, *range(130, 190)}
        assert pages[-1].cursor == {"name": NAME, "last": 189}
        assert all(p.complete for p in pages)
        assert [p.heard_until for p in pages] == [HEARD] * (len(pages) - 1) + [None]
        again = run(server, pages[-1].cursor)
    assert len(again) == 1
    assert set(numbers(again)) <= set(numbers(pages))
    assert again[0].cursor == pages[-1].cursor


def test_a_pass_broken_off_goes_on_and_leaves_out_nothing():
    channel = Channel(range(1, 101))
    with serve(channel) as server:
        feed = feed_at("telegram", server, cursor={"name": NAME, "last": 20})
        first = fetch(server, feed)
        second = fetch(server, replace(feed, cursor=first.cursor))
        fetch(server, replace(feed, cursor=second.cursor))  # read, but never stored: a crash
        channel.ids += range(101, 131)  # said meanwhile
        rest = run(server, second.cursor)
        assert sorted(numbers([first, second, *rest])) == [*range(21, 101)]
        assert rest[-1].cursor["last"] == 100
        assert set(numbers(run(server, rest[-1].cursor))) >= {*range(101, 131)}


def test_missing_numbers_are_no_deletions():
    with serve(Channel([1, 5, 9, 100])) as server:
        pages = run(server, {"name": NAME, "last": 50})
    assert [p.deleted for p in pages] == [()] * len(pages)


def test_a_server_that_shows_the_same_page_again_is_no_endless_loop_and_no_silence():
    body = page("".join(message(n, "x", DATE) for n in range(50, 60)), before=50)
    with serve(reply(200, body)) as server:
        pages = run(server, {"name": NAME, "last": 10})
    assert len(pages) == 2
    assert [p.complete for p in pages] == [True, False]


@pytest.mark.parametrize("words", ["js-message_reply_text", "js-message_text js-message_reply_text"])
def test_a_message_is_its_own_words_only(words):
    reply_to = (
        f'<a class="tgme_widget_message_reply" href="https://t.me/{NAME}/3"><div class="tgme_widget_message_text '
        f'{words}">what was said before</div><time datetime="2015-01-01T00:00:00+00:00"></time></a>'
    )
    text = (
        '<div class="tgme_widget_message_text js-message_text">One <b>two</b><br/>three &amp; four '
        '<tg-emoji emoji-id="5"><i class="emoji" style="background-image:url(x)"><b>🔥</b></i></tg-emoji></div>'
    )
    found = single(page(message(7, text, DATE, more=reply_to))).posts[0]
    assert found.text == "One two\nthree & four 🔥"
    assert (found.native_id, found.url, found.author) == (f"{NAME}/7", f"https://t.me/{NAME}/7", NAME)
    assert found.published_at == datetime(2016, 12, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ('<a class="tgme_widget_message_forwarded_from_name" href="https://t.me/Origin_Chan/77?single">O</a>', "origin_chan/77"),
        ('<a class="tgme_widget_message_forwarded_from_name" href="https://t.me/some_person">P</a>', ""),
        ('<span class="tgme_widget_message_forwarded_from_name">Hidden</span>', ""),
    ],
)  # fmt: skip
def test_a_forward_names_the_message_it_repeats(origin, expected):
    more = f'<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from {origin}</div>'
    assert single(page(message(7, "told", DATE, more=more))).posts[0].repost_of == expected


def test_notices_are_no_posts_and_pictures_without_words_are_counted():
    notice = message(1, "Channel created", DATE).replace("text_not_supported_wrap", "service_message")
    photo = message(2, None, DATE, more='<a class="tgme_widget_message_photo_wrap"></a>')
    found = single(page(notice + photo))
    assert (found.posts, dict(found.dropped), found.cursor["last"]) == ((), {"no_text": 1}, 2)


def test_a_poll_is_its_question_and_answers():
    poll = (
        '<div class="tgme_widget_message_poll"><div class="tgme_widget_message_poll_question">Who?</div>'
        '<div class="tgme_widget_message_poll_option_text">They</div></div>'
    )
    assert single(page(message(2, None, DATE, more=poll))).posts[0].text == "Who?\nThey"


def card(inner):
    text = f"<html><head><title>Telegram: x</title></head><body><div class='tgme_page_wrap'>{inner}</div></body></html>"
    return text.encode()


TITLE = '<div class="tgme_page_title"><span>Name</span></div>'


@pytest.mark.parametrize(
    ("inner", "kind", "reason", "said"),
    [
        (
            TITLE + '<div class="tgme_page_extra">1 234 subscribers</div>',
            PermanentError,
            Reason.NO_ACCESS,
            "no preview",
        ),
        (TITLE + '<div class="tgme_page_extra">5 members, 2 online</div>', PermanentError, Reason.NO_ACCESS, "a group"),
        (TITLE + '<div class="tgme_page_extra">@name</div>', PermanentError, Reason.BAD_ADDRESS, "a person or a bot"),
        ('<div class="tgme_page_icon"></div>', TransientError, Reason.NOT_FOUND, "spelling"),
        ('<div class="tgme_something_new"></div>', TransientError, Reason.NOT_A_FEED, "layout has probably changed"),
    ],
)
def test_a_name_without_preview_is_told_with_the_way_out(inner, kind, reason, said):
    landing = reply(302, location=f"/{NAME}")
    with (
        serve(
            lambda request, stream: stream.sendall(landing if "/s/" in request.split()[1] else reply(200, card(inner)))
        ) as server,
        pytest.raises(kind, match=said) as caught,
    ):
        fetch(server, feed_at("telegram", server))
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "body",
    [
        page(message(7, "words", DATE).replace("js-message_text", "new-name")),
        page(message(7, "words", DATE).replace("data-post", "data-new")),
        page(message(7, "words", DATE).replace('"tgme_widget_message ', '"tgme_novelty ')),
    ],
)
def test_a_changed_layout_is_an_error_and_no_silence(body):
    with pytest.raises(TransientError, match="layout has probably changed") as caught:
        single(body)
    assert caught.value.reason is Reason.NOT_A_FEED


def test_a_channel_that_had_messages_is_not_suddenly_empty():
    assert single(page("")).posts == ()
    with pytest.raises(TransientError, match="had some"):
        single(page(""), cursor={"name": NAME, "last": 5})


def test_a_cursor_of_another_channel_is_not_used():
    with serve(Channel(range(1, 11))) as server:
        assert len(numbers(run(server, {"name": "another_one", "last": 9, "before": 3}))) == 10


def test_posts_are_gone_when_their_page_and_telegram_say_so():
    with serve(Channel(n for n in range(1, 101) if n not in (30, 95))) as server:
        asked = [Known(f"{NAME}/{n}", "") for n in (100, 97, 95, 31, 30, 29)] + [Known("strange", "")]
        assert isinstance(source(server), Rechecking)
        assert source(server).gone(asked) == {f"{NAME}/95", f"{NAME}/30"}
        assert len(server.requests) == 4  # two pages, two doubtful messages


def test_a_post_that_no_page_lists_but_telegram_still_shows_is_not_gone():
    whole = Channel(range(1, 11))

    def handler(request, stream):
        Channel([1, 2])(request, stream) if "/s/" in request else whole(request, stream)

    with serve(handler) as server:
        assert source(server).gone([Known(f"{NAME}/5", "")]) == frozenset()


def test_an_interstitial_makes_nothing_gone():
    with serve(reply(200, b"<html><p>Just a moment</p></html>")) as server, pytest.raises(FramewatchError):
        source(server).gone([Known(f"{NAME}/5", "")])


def test_a_page_made_to_exhaust_us_does_not():
    began = datetime.now(UTC)
    for hostile in (b"<div>" * 300_000, b"<b id=x><p>" * 100_000, b"<a href=" * 100_000, b"<!--" * 300_000):
        with pytest.raises(FramewatchError):
            parse_file("telegram", hostile, "https://t.me/s/x")
    assert datetime.now(UTC) - began < timedelta(seconds=10)


@settings(max_examples=100, deadline=None)
@given(ids=st.sets(st.integers(1, 150), min_size=1), last=st.integers(0, 150), lost=st.integers(0, 9))
def test_whatever_is_deleted_every_message_is_read_once_the_pass_ends(ids, last, lost):
    """The pure half: pages as the server cuts them, one of which is lost in a crash."""
    cursor, read = {"name": NAME, "last": last}, set()
    for step in range(60):
        state = _read_cursor(cursor, NAME)
        shown = [n for n in sorted(ids) if n < (state.before or 10**9)][-20:]
        found = _advance(Preview(ids=tuple(shown), older=bool(shown) and shown[0] > min(ids)), state, 99)
        if step == lost:  # this page was never stored
            continue
        read |= set(shown)
        cursor = found.cursor
        if not found.more:
            break
    assert read >= {n for n in ids if n > last}
    assert cursor["last"] == max([last, *ids])
