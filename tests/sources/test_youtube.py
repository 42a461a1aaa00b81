"""YouTube: addresses, feeds without a key, comments by pages with their replies, refusals worded, and the quota."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import parse_file, read_address, source_for
from services.sources.base import Known, Means
from services.sources.youtube import YoutubeSource
from services.sources.youtube.api import until_tomorrow
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, post
from tests.sources.kits.youtube import VIDEO, answer, comment, encode, thread

CHANNEL = "UC" + "x" * 22
OTHER = "UC" + "y" * 22
KEYS = {"youtube_key": "a-secret-key"}
WATCH = f"https://www.youtube.com/watch?v={VIDEO}"


def at(minute):
    return (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Video:
    """The API below one video: threads newest first, two a page; replies two a page."""

    def __init__(self, minutes):
        self.minutes = sorted(minutes)
        self.replies = {}

    def __call__(self, request, stream):
        parts = urlsplit(request.split()[1])
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        start = int(asked.get("pageToken") or 0)
        if parts.path == "/youtube/v3/comments":
            everything = self.replies[asked["parentId"]]
            items = [comment(r) for r in everything[start : start + 2]]
        else:
            everything = self.minutes[::-1]
            items = [self._thread(m) for m in everything[start : start + 2]]
        token = str(start + 2) if start + 2 < len(everything) else ""
        stream.sendall(reply(200, answer(items, token)))

    def _thread(self, minute):
        replies = self.replies.get(f"t{minute}", [])
        return thread(post(minute, id=f"t{minute}", published_at=at(minute)), replies[:1], len(replies))


def means(server, **changes):
    return Means(Fetcher(allow_networks=server.allowed), None, **{"keys": KEYS, **changes})


def feed(server, address=WATCH, **changes):
    return feed_of("youtube", address, options={"api": server.url}, **changes)


def once(server, known, now=NOW, **changes):
    known = replace(known, cursor=json.loads(json.dumps(known.cursor)))
    return source_for("youtube", means(server, **changes)).fetch(known, now)


def run(server, known, **changes):
    pages = []
    while not pages or pages[-1].more:
        known = replace(known, cursor=pages[-1].cursor) if pages else known
        pages.append(once(server, known, **changes))
        assert len(pages) < 50
    return pages


def names(pages):
    return [p.native_id for page in pages for p in page.posts]


def atom(*entries, media="<media:description>Told &amp; shown</media:description>"):
    found = "".join(
        f"<entry><id>yt:video:{video}</id><yt:videoId>{video}</yt:videoId>"
        f"<yt:channelId>{owner}</yt:channelId><title>A title</title>"
        f'<link rel="alternate" href="https://www.youtube.com/watch?v={video}"/>'
        "<author><name>A name</name></author><published>2026-11-01T00:00:00+00:00</published>"
        f"<media:group>{media}</media:group></entry>"
        for video, owner in entries
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" '
        'xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">'
        f"<title>A name</title><author><name>A name</name></author>{found}</feed>"
    )
    return text.encode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (CHANNEL, f"/channel/{CHANNEL}"),
        (f"youtube.com/channel/{CHANNEL}/videos", f"/channel/{CHANNEL}"),
        (f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}", f"/channel/{CHANNEL}"),
        ("@SomeHandle", "/@somehandle"),
        ("https://m.youtube.com/@SomeHandle/shorts", "/@somehandle"),
        ("https://www.youtube.com/playlist?list=PL0123456789ab", "/playlist?list=PL0123456789ab"),
        ("PL0123456789ab", "/playlist?list=PL0123456789ab"),
        (f"https://youtu.be/{VIDEO}?t=5", f"/watch?v={VIDEO}"),
        (f"https://www.youtube.com/watch?v={VIDEO}&list=PL0123456789ab", f"/watch?v={VIDEO}"),
        (f"https://www.youtube.com/shorts/{VIDEO}", f"/watch?v={VIDEO}"),
    ],
)
def test_every_form_of_an_address_is_one(typed, kept):
    assert read_address("youtube", typed) == f"https://www.youtube.com{kept}"
    assert read_address("youtube", f"https://www.youtube.com{kept}") == f"https://www.youtube.com{kept}"


@pytest.mark.parametrize(
    "typed",
    ["https://evil.org/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/", "https://www.youtube.com/feed/history"],
)
def test_what_is_none_of_them_is_refused(typed):
    with pytest.raises(PermanentError, match="names nothing on YouTube"):
        read_address("youtube", typed)


def test_a_channel_is_read_without_a_key_and_its_id_is_the_author():
    with serve(reply(200, atom((VIDEO, CHANNEL), ("abcdefghijk", OTHER)), etag='"v1"')) as server:
        page = once(server, feed(server, CHANNEL), keys={})
        again = once(server, feed(server, CHANNEL, cursor=page.cursor), NOW + timedelta(hours=1), keys={})
    assert [(p.native_id, p.author, p.text) for p in page.posts] == [
        (VIDEO, CHANNEL, "A title\n\nTold & shown"),
        ("abcdefghijk", OTHER, "A title\n\nTold & shown"),
    ]
    assert page.posts[0].url == WATCH
    assert (page.window, page.complete, page.more, page.title) == (True, True, False, "A name")
    assert f"GET /feeds/videos.xml?channel_id={CHANNEL} " in server.requests[0]
    assert 'If-None-Match: "v1"' in server.requests[1]
    assert again.posts == page.posts


def test_a_304_keeps_what_is_known_and_a_day_later_nobody_asks_conditionally():
    def handler(request, stream):
        conditional = "If-None-Match" in request
        stream.sendall(reply(304) if conditional else reply(200, atom((VIDEO, CHANNEL)), etag='"v1"'))

    with serve(handler) as server:
        first = once(server, feed(server, CHANNEL))
        second = once(server, feed(server, CHANNEL, cursor=first.cursor), NOW + timedelta(hours=1))
        third = once(server, feed(server, CHANNEL, cursor=second.cursor), NOW + timedelta(hours=25))
    assert [len(p.posts) for p in (first, second, third)] == [1, 0, 1]
    assert second.cursor == first.cursor


def test_a_feed_without_overlap_may_have_missed_videos():
    with serve(reply(200, atom((VIDEO, CHANNEL)))) as server:
        cursor = {"target": f"https://www.youtube.com/channel/{CHANNEL}", "seen": ["abcdefghijk"]}
        assert once(server, feed(server, CHANNEL, cursor=cursor)).complete is False


def test_a_feed_that_is_not_found_may_be_youtubes_own_trouble():
    with serve(reply(404)) as server, pytest.raises(TransientError, match="of all its feeds") as caught:
        once(server, feed(server, CHANNEL))
    assert caught.value.reason is Reason.NOT_FOUND


def test_a_handle_is_looked_up_once_for_one_unit():
    spent = []

    def handler(request, stream):
        found = json.dumps({"items": [{"id": CHANNEL}]}).encode()
        stream.sendall(reply(200, found if "/channels?" in request else atom((VIDEO, CHANNEL))))

    def ledger(name, units, limit):
        spent.append((name, units, limit))
        return True

    with serve(handler) as server:
        first = once(server, feed(server, "@somehandle"), ledger=ledger)
        once(server, feed(server, "@somehandle", cursor=first.cursor), NOW + timedelta(hours=1), ledger=ledger)
    assert spent == [("youtube:2026-11-22", 1, 10_000)]
    assert "forHandle=%40somehandle" in server.requests[0]
    assert not any("search" in request for request in server.requests)


def test_a_handle_needs_a_key_and_the_way_without_one_is_told():
    with serve(reply()) as server, pytest.raises(PermanentError, match="channel/UC") as caught:
        once(server, feed(server, "@somehandle"), keys={})
    assert caught.value.reason is Reason.NO_CREDENTIALS


def test_comments_come_newest_first_and_again_from_the_last_known():
    video = Video(range(1, 8))
    with serve(video) as server:
        first = run(server, feed(server))
        assert names(first) == [f"t{m}" for m in range(7, 0, -1)]
        again = run(server, feed(server, cursor=first[-1].cursor))
        assert set(names(again)) <= set(names(first))
        video.minutes += [8, 9, 10, 11, 12]
        later = run(server, feed(server, cursor=again[-1].cursor, heard_until=NOW - timedelta(hours=1)))
    assert names(later)[:5] == ["t12", "t11", "t10", "t9", "t8"]
    assert len(later) == 3  # the third page holds the newest one known
    assert [p.heard_until for p in later] == [NOW - timedelta(hours=1)] * 2 + [None]
    assert all("X-Goog-Api-Key: a-secret-key" in request for request in server.requests)
    assert not any("a-secret-key" in request.split()[1] for request in server.requests)


def test_a_new_video_is_read_back_as_far_as_wanted():
    with serve(Video(range(1, 30))) as server:
        assert len(run(server, replace(feed(server), options={"api": server.url, "pages": 3}))) == 3


def test_a_pass_broken_off_goes_on_and_leaves_out_nothing():
    video = Video(range(1, 21))
    known = {"video": VIDEO, "floor": at(5)}
    with serve(video) as server:
        first = once(server, feed(server, cursor=known))
        second = once(server, feed(server, cursor=first.cursor))
        once(server, feed(server, cursor=second.cursor))  # read, but never stored: a crash
        rest = run(server, feed(server, cursor=second.cursor))
    found = names([first, second, *rest])
    assert found == list(dict.fromkeys(found))
    assert set(found) >= {f"t{m}" for m in range(6, 21)}
    assert rest[-1].cursor["floor"] == at(20)


def test_an_old_comment_pinned_at_the_top_ends_no_pass():
    video = Video(range(2, 10))
    pinned = thread(post(1, id="t1", published_at=at(1)))

    def handler(request, stream):
        if "pageToken" in request:
            video(request, stream)
        else:
            stream.sendall(reply(200, answer([pinned, video._thread(9)], "1")))

    with serve(handler) as server:
        found = names(run(server, feed(server, cursor={"video": VIDEO, "floor": at(4)})))
    assert set(found) >= {f"t{m}" for m in range(5, 10)}


def test_replies_that_do_not_come_along_are_fetched_once_and_again_when_there_are_more():
    video = Video([1, 2])
    video.replies["t1"] = [post(n, id=f"t1.r{n}", published_at=at(n)) for n in range(3, 8)]
    with serve(video) as server:
        first = run(server, feed(server))
        assert set(names(first)) == {"t1", "t2", *(f"t1.r{n}" for n in range(3, 8))}
        quiet = run(server, feed(server, cursor=first[-1].cursor))
        assert len(quiet) == 1
        video.replies["t1"].append(post(8, id="t1.r8", published_at=at(8)))
        assert "t1.r8" in names(run(server, feed(server, cursor=quiet[-1].cursor)))
    assert first[0].posts[1].url == f"{WATCH}&lc=t1"


def refusal(status, reason, **headers):
    body = {"error": {"code": status, "message": "m", "errors": [{"domain": "youtube.x", "reason": reason}]}}
    return reply(status, json.dumps(body).encode(), **headers)


@pytest.mark.parametrize(
    ("status", "reason", "kind", "expected", "said"),
    [
        (403, "commentsDisabled", PermanentError, Reason.NO_ACCESS, "Comments are turned off"),
        (403, "quotaExceeded", TransientError, Reason.BUDGET_SPENT, "midnight in California"),
        (403, "rateLimitExceeded", TransientError, Reason.RATE_LIMITED, "fewer requests"),
        (400, "keyInvalid", PermanentError, Reason.NO_CREDENTIALS, "does not know the key"),
        (403, "accessNotConfigured", PermanentError, Reason.NO_CREDENTIALS, "enable the YouTube Data API"),
        (404, "videoNotFound", TransientError, Reason.NOT_FOUND, "no such video"),
        (403, "forbidden", TransientError, Reason.NO_ACCESS, "status 403"),
    ],
)
def test_a_refusal_is_told_in_words(status, reason, kind, expected, said):
    with serve(refusal(status, reason)) as server, pytest.raises(kind, match=said) as caught:
        once(server, feed(server))
    assert caught.value.reason is expected
    assert "a-secret-key" not in str(caught.value)


def test_the_newer_form_of_a_refusal_is_understood():
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}
    with serve(reply(400, json.dumps(body).encode())) as server, pytest.raises(PermanentError, match="know the key"):
        once(server, feed(server))


def test_a_page_that_google_has_forgotten_begins_the_pass_again_and_loses_nothing():
    video = Video(range(1, 7))

    def handler(request, stream):
        if "pageToken=stale" in request:
            stream.sendall(refusal(400, "invalidPageToken"))
        else:
            video(request, stream)

    with serve(handler) as server:
        known = {"video": VIDEO, "floor": at(2), "ceiling": at(6), "page": "stale", "pages": 2}
        assert set(names(run(server, feed(server, cursor=known)))) >= {"t3", "t4", "t5", "t6"}


def test_a_spent_quota_is_no_request_at_all():
    with serve(reply()) as server, pytest.raises(TransientError, match="Today's quota of YouTube's API") as caught:
        once(server, feed(server), keys={**KEYS, "youtube_daily_units": "3"}, ledger=lambda name, units, limit: False)
    assert caught.value.reason is Reason.BUDGET_SPENT
    assert caught.value.retry_after == timedelta(hours=20)  # noon in London is four in the morning in California
    assert server.connections == 0


def test_a_quota_that_is_no_number_is_told():
    with serve(reply()) as server, pytest.raises(PermanentError, match="YOUTUBE_DAILY_UNITS must be a whole number"):
        once(server, feed(server), keys={**KEYS, "youtube_daily_units": "many"})


def test_the_day_ends_at_midnight_in_california_also_when_its_clocks_change():
    assert until_tomorrow(datetime(2026, 7, 1, 6, 59, tzinfo=UTC)) == timedelta(minutes=1)
    assert until_tomorrow(datetime(2026, 11, 1, 7, 0, tzinfo=UTC)) == timedelta(hours=25)


def test_posts_are_gone_when_the_api_names_them_no_more():
    def handler(request, stream):
        asked = parse_qs(urlsplit(request.split()[1]).query)["id"][0].split(",")
        assert len(asked) <= 50
        left = [{"id": name} for name in asked if not name.startswith("g")]
        found = reply(200, json.dumps({"items": left}).encode())
        stream.sendall(refusal(404, "commentNotFound") if "deleted-comment" in asked else found)

    known = [Known(f"v{n:010}", "") for n in range(60)] + [Known(f"gone-{n:06}", "") for n in range(3)]
    comments = [Known("Ug-kept-comment", ""), Known("deleted-comment", ""), Known("Ug-another", "")]
    with serve(handler) as server:
        source = YoutubeSource(means(server), api=server.url)
        assert source.gone([*known, *comments]) == {f"gone-{n:06}" for n in range(3)} | {"deleted-comment"}


def test_a_refused_question_makes_nothing_gone():
    for status in (403, 404, 500):
        with serve(reply(status)) as server, pytest.raises(TransientError):
            YoutubeSource(means(server), api=server.url).gone([Known(VIDEO, ""), Known("Ug-comment", "")])


def test_saved_answers_of_both_sorts_are_parsed():
    assert len(parse_file("youtube", atom((VIDEO, CHANNEL)), "https://www.youtube.com/x").posts) == 1
    assert len(parse_file("youtube", encode([post(1)]), "https://www.youtube.com/x").posts) == 1


def test_a_display_name_is_no_author():
    assert not re.search("a name", json.dumps([p.author for p in parse_file("youtube", encode([post(1)]), "x").posts]))
    nameless = atom((VIDEO, "")).replace(b"<yt:channelId></yt:channelId>", b"")
    assert parse_file("youtube", nameless, "https://www.youtube.com/x").posts[0].author == ""
