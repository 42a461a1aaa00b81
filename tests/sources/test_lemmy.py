"""Lemmy: addresses, reading backwards to what is known, pins, edits, removals, Markdown."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import Means, parse_file, read_address, source_for
from services.sources.base import Known
from services.sources.lemmy.posts import markdown_to_text
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, post
from tests.sources.kits.lemmy import ADDRESS, view


class Site:
    """One community: posts and comments in the order of arrival, listed newest first, pinned posts before all."""

    def __init__(self, *, cursors=True):
        self.posts, self.comments, self.cursors, self.asked = [], [], cursors, []

    def say(self, *numbers, **changes):
        self.posts += [view(post(n), n, **changes) for n in numbers]

    def comment(self, *numbers):
        self.comments += [view(post(f"c{n}", id=f"https://e.org/comment/{n}"), n, "comment") for n in numbers]

    def handle(self, request, stream):
        url = urlsplit(request.split()[1])
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        assert (query["sort"], query["type_"], query["community_name"]) == ("New", "All", "news")
        part = {"/api/v3/post/list": "posts", "/api/v3/comment/list": "comments"}[url.path]
        assert part == "posts" or "page_cursor" not in query
        self.asked.append(part)
        listed = getattr(self, part)[::-1]
        at = int(query["page_cursor"][1:]) if "page_cursor" in query else 50 * (int(query.get("page", 1)) - 1)
        page = sorted(listed, key=lambda v: not v.get("post", {}).get("featured_community"))[at : at + 50]
        answer = {part: page}
        if part == "posts" and self.cursors:
            answer["next_page"] = f"P{at + 50}" if len(listed) > at + 50 else None
        stream.sendall(reply(body=json.dumps(answer).encode()))


def ask_all(server, cursor):
    source = source_for("lemmy", Means(Fetcher(allow_networks=server.allowed), None))
    pages = []
    while not pages or (pages[-1].more and len(pages) < 50):
        feed = feed_of("lemmy", server.url + "/c/news", cursor=json.loads(json.dumps(cursor)))
        pages.append(source.fetch(feed, NOW))
        cursor = pages[-1].cursor
    return pages


def numbers(pages):
    return [int(p.native_id.rpartition("/")[2]) for page in pages for p in page.posts]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("!News@Lemmy.Example", "https://lemmy.example/c/news"),
        ("https://lemmy.example/c/news/", "https://lemmy.example/c/news"),
        ("lemmy.example/c/news?sort=New", "https://lemmy.example/c/news"),
        ("https://lemmy.example/c/news@other.example", "https://lemmy.example/c/news@other.example"),
        ("https://lemmy.example/c/news@lemmy.example", "https://lemmy.example/c/news"),
    ],
)
def test_what_a_person_types_becomes_one_address(typed, kept):
    assert read_address("lemmy", typed) == kept
    assert read_address("lemmy", kept) == kept


@pytest.mark.parametrize(
    "typed", ["https://lemmy.example/", "https://u:p@e.org/c/x", "!news", "https://e.org/c/a b", "http://[/c/x"]
)
def test_what_is_no_community_is_refused(typed):
    with pytest.raises(PermanentError, match="!community@host"):
        read_address("lemmy", typed)


@pytest.mark.parametrize("cursors", [True, False])
def test_a_gap_of_many_pages_is_read_back_to_what_is_known(cursors):
    site = Site(cursors=cursors)
    with serve(site.handle) as server:
        site.say(*range(1, 100))
        first = ask_all(server, {})
        assert (len(first), set(numbers(first))) == (1, set(range(50, 100)))
        site.say(*range(100, 280))
        pages = ask_all(server, first[-1].cursor)
        assert sorted(numbers(pages)) == list(range(100, 280))
        assert all(page.complete for page in pages)
        assert numbers(ask_all(server, pages[-1].cursor)) == []
    assert site.asked.count("comments") == 3


def test_a_crash_between_pages_neither_loses_nor_doubles():
    site = Site()
    with serve(site.handle) as server:
        site.say(1)
        (first,) = ask_all(server, {})
        site.say(*range(2, 172))
        pages = ask_all(server, first.cursor)
        again = ask_all(server, pages[1].cursor)  # page 3 came, and was lost before it was stored
        assert sorted(numbers([first, *pages[:2], *again])) == list(range(1, 172))


def test_an_endless_gap_is_given_up_and_told():
    site = Site()
    with serve(site.handle) as server:
        site.say(1)
        (first,) = ask_all(server, {})
        site.say(*range(2, 1200))
        pages = ask_all(server, first.cursor)
    assert len(pages) == 20
    assert [page.complete for page in pages] == [True] * 19 + [False]


def test_pinned_posts_do_not_end_the_search():
    site = Site()
    with serve(site.handle) as server:
        site.say(1, 2, featured_community=True)
        (first,) = ask_all(server, {})
        site.say(*range(3, 90))
        assert sorted(numbers(ask_all(server, first.cursor))) == list(range(3, 90))


def test_comments_are_heard_beside_posts():
    site = Site()
    with serve(site.handle) as server:
        site.say(1)
        site.comment(1, 2)
        (first,) = ask_all(server, {})
        site.comment(*range(3, 140))
        pages = ask_all(server, first.cursor)
    found = [p for page in pages for p in page.posts]
    assert {p.native_id for p in found} == {f"https://e.org/comment/{n}" for n in range(3, 140)}
    assert found[0].text == "Post number c139"
    assert site.asked.count("posts") == 2


def test_edits_and_removals_are_told():
    site = Site()
    with serve(site.handle) as server:
        site.say(*range(1, 6))
        (first,) = ask_all(server, {})
        site.posts[1]["post"] |= {"name": "mended", "updated": "2026-11-22T11:00:00Z"}
        site.posts[2]["post"]["deleted"] = True
        site.posts[3]["post"]["removed"] = True
        (second,) = ask_all(server, first.cursor)
        assert [p.text for p in second.posts] == ["mended"]
        assert set(second.deleted) == {ADDRESS.format(3), ADDRESS.format(4)}
        assert numbers(ask_all(server, second.cursor)) == []


@pytest.mark.parametrize(
    ("view_of", "reason"),
    [
        ({"community": {"visibility": "LocalOnlyPrivate"}}, "not_public"),
        ({"creator": {"actor_id": "x", "bio": "please #nobot"}}, "no_consent"),
    ],
)
def test_who_does_not_want_to_be_collected_is_not(view_of, reason):
    body = json.dumps({"posts": [view(post(1)) | view_of]}).encode()
    page = parse_file("lemmy", body, "x")
    assert (page.posts, dict(page.dropped)) == ((), {reason: 1})


def test_title_and_body_are_one_text():
    said = view(post(1), body="**Really** [so](https://e.org)\n\n> quoted\n\n- one\n- `two`", name="It is")
    assert parse_file("lemmy", json.dumps({"posts": [said]}).encode(), "x").posts[0].text == (
        "It is\n\nReally so\n\nquoted\n\n- one\n- two"
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("# Head\ntext", "Head\ntext"),
        ('![a cat](https://e.org/x.png "t") and <https://e.org>', "a cat and https://e.org"),
        ("::: spoiler Look\nhidden\n:::", "hidden"),
        ("```python\nx = a*b*c\n```", "x = a*b*c"),
        ("a * b * c, snake_case_name, 2 < 3 > 1, 5*", "a * b * c, snake_case_name, 2 < 3 > 1, 5*"),
        ("*it* _is_ ~~not~~ \\*so\\*", "it is not *so*"),
        ("one\n\n---\n\ntwo", "one\n\ntwo"),
        ("I <3 you &amp; me", "I <3 you &amp; me"),
    ],
)
def test_markdown_becomes_text(markup, text):
    assert markdown_to_text(markup) == text


@pytest.mark.parametrize("piece", ["[", "](", "**", "_a", "* ", "`", "<http://", "> ", "[a](", "\\", "~~ ", "- "])
def test_hostile_markdown_takes_no_longer_than_its_length(piece):
    began = time.monotonic()
    markdown_to_text(piece * (60_000 // len(piece)))
    assert time.monotonic() - began < 5


@given(st.text(alphabet="[]()*_`~<>#!\\-: \nab"))
def test_any_markdown_is_read(markup):
    assert len(markdown_to_text(markup)) <= len(markup)


@pytest.mark.parametrize("path", ["/post/list", "/comment/list"])
def test_an_unknown_community_is_told(path):
    unknown = reply(400, b'{"error":"couldnt_find_community"}')
    answer = reply(body=b'{"posts":[]}')
    with (
        serve(lambda r, s: s.sendall(unknown if path in r else answer)) as server,
        pytest.raises(TransientError, match="community news") as caught,
    ):
        ask_all(server, {})
    assert caught.value.reason is Reason.NOT_FOUND


def test_what_is_no_lemmy_server_is_told():
    with serve(reply(body=b"[]")) as server, pytest.raises(PermanentError, match="Lemmy server") as caught:
        ask_all(server, {})
    assert caught.value.reason is Reason.NOT_A_FEED


def test_posts_that_are_gone_are_told():
    pages = {"/post/1": reply(410, b'{"type":"Tombstone"}'), "/post/2": reply(body=b'{"type":"Page"}')}
    with serve(lambda r, s: s.sendall(pages[r.split()[1]])) as server:
        source = source_for("lemmy", Means(Fetcher(allow_networks=server.allowed), None))
        posts = [Known(f"{server.url}/post/{n}", f"{server.url}/post/{n}") for n in (1, 2)]
        assert source.gone(posts) == {posts[0].native_id}
