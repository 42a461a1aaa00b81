"""OPML in and out: what is known, what is kept for others, what is refused."""

import xml.etree.ElementTree as Tree
from contextlib import suppress
from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.analysis.listing import Listed, outline_of, with_outline
from services.analysis.opml import read_opml, write_opml

OTHERS = """<?xml version="1.0"?>
<opml version="2.0" xmlns:their="https://reader.example/ns">
  <head><title>Mine</title><ownerName>Somebody</ownerName></head>
  <body>
    <outline text="Syria" their:colour="red">
      <outline text="Russian">
        <outline text="ТАСС" title="TASS (ru)" type="atom" xmlUrl="https://tass.ru/rss/v2.xml" htmlUrl="https://tass.ru/"
                 category="/agency,/state" their:folded="yes" xml:lang="ru" whatever="&lt;kept&gt;"/>
      </outline>
      <outline text="A page" type="link" url="https://example.org/page"/>
      <outline xmlurl=" https://example.org/feed?a=1&amp;b=2 " text=""/>
    </outline>
    <outline text="Empty"/>
  </body>
</opml>
"""


def without_lines(feeds):
    return [replace(feed, line=0) for feed in feeds]


def test_what_is_not_known_survives_a_round_trip():
    read = read_opml(OTHERS.encode())
    first, second = read.feeds
    assert (first.kind, first.title, first.line) == ("rss", "TASS (ru)", 7)
    attributes, groups = outline_of(first.options)
    assert groups == [{"text": "Syria", "{https://reader.example/ns}colour": "red"}, {"text": "Russian"}]
    assert attributes == {
        "text": "ТАСС",
        "type": "atom",
        "htmlUrl": "https://tass.ru/",
        "category": "/agency,/state",
        "{https://reader.example/ns}folded": "yes",
        "{http://www.w3.org/XML/1998/namespace}lang": "ru",
        "whatever": "<kept>",
    }
    assert (second.address, second.title) == ("https://example.org/feed?a=1&b=2", "")
    assert read.notes == ("2 outlines name no feed and were left aside",)
    again = read_opml(write_opml(read.feeds))
    assert without_lines(again.feeds) == without_lines(read.feeds)
    body = Tree.fromstring(write_opml(read.feeds)).find("body")
    assert [o.get("text") for o in body] == ["Syria"]
    assert [o.get("text") for o in body[0]] == ["Russian", "https://example.org/feed?a=1&b=2"]


def test_feeds_that_opml_cannot_name_come_back_with_everything():
    feeds = [
        Listed(
            "@name@mastodon.social", "mastodon", "A <b>&amp; person", 300, {"mode": "stream", "deep": {"a": [1, None]}}
        ),
        Listed("query:(Palmyra OR Tadmur)", "gdelt", "", 7, {}, paused=True),
        Listed(
            "https://example.org/ü?q=\"&'", "rss", "r\n", 900, with_outline({}, {"language": "ar"}, [{"text": "g"}])
        ),
    ]
    back = without_lines(read_opml(write_opml(feeds)).feeds)
    feeds[2] = replace(feeds[2], title="r")
    assert back == feeds
    outline = Tree.fromstring(write_opml(feeds)).find("body/outline")
    assert outline.get("type") == "mastodon"
    assert outline.get("xmlUrl") is None, "other readers would fetch it as a web feed"


# As they are kept: in NFC, and without what a row of options refuses even as an escape.
words = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
    .map(lambda t: normalize("NFC", " ".join(t.split())))
    .filter(lambda t: "\\u0000" not in t)
)
names = st.sampled_from(["language", "page", "htmlUrl", "{urn:other}x", "Ж"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words, lambda v: st.lists(v, max_size=2), max_leaves=4
)


@given(
    st.lists(
        st.builds(
            lambda address, kind, title, seconds, options, attributes, groups: Listed(
                f"a{address}", kind, title, seconds, with_outline(options, attributes, groups)
            ),
            words, st.sampled_from(["rss", "x", "telegram"]), words, st.integers(0, 9_000_000),
            st.dictionaries(names, values, max_size=2), st.dictionaries(names, words, max_size=2),
            st.lists(st.dictionaries(names, words, max_size=2).map(lambda d: {"text": "g", **d}), max_size=3),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_any_feed_comes_back_as_it_was(feeds):
    feeds = [replace(f, title="" if f.title == f.address else f.title) for f in feeds]
    back = without_lines(read_opml(write_opml(feeds)).feeds)
    assert len(back) == len(feeds)
    assert all(back.count(feed) == feeds.count(feed) for feed in feeds)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251"])
def test_every_usual_encoding_is_read(encoding):
    text = OTHERS.replace('version="1.0"?', f'version="1.0" encoding="{encoding.removesuffix("-sig")}"?')
    assert outline_of(read_opml(text.encode(encoding)).feeds[0].options)[0]["text"] == "ТАСС"


def test_what_people_forget_to_escape_is_read_as_meant():
    text = '<opml><body><outline text="A & B &eacute;&nosuch;" xmlUrl="https://e.org/?a=1&b=2&amp;c=3"/></body></opml>'
    (feed,) = read_opml(text.encode()).feeds
    assert (feed.title, feed.address) == ("A & B é&nosuch;", "https://e.org/?a=1&b=2&c=3")


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        ('<?xml version="1.0"?>\n<!DOCTYPE opml [<!ENTITY a "b">]><opml/>', Reason.UNSAFE_XML, "line 2: .*DOCTYPE"),
        ('<!DOCTYPE opml SYSTEM "file:///etc/passwd"><opml/>', Reason.UNSAFE_XML, "DOCTYPE"),
        ("<opml><body>\n<outline></body></opml>", Reason.BAD_INPUT, "line 2: .*mismatched tag"),
        ("<rss/>", Reason.BAD_INPUT, "begins with <rss>"),
        ("", Reason.BAD_INPUT, "no element"),
        ("<opml>" + "<outline>" * 200, Reason.BAD_INPUT, "over 100 deep"),
    ],
)
def test_what_is_no_safe_opml_is_refused_with_its_line(text, reason, told):
    with pytest.raises(PermanentError, match=told) as caught:
        read_opml(text.encode())
    assert caught.value.reason is reason


@pytest.mark.parametrize("options", ["{", "[1]", '{"a": NaN}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 9999])
def test_options_that_no_row_can_hold_are_told_and_left_out(options):
    feed = f"<opml xmlns:fw='urn:framewatch:feeds'><outline fw:kind='x' fw:address='@a' fw:options='{options}'/></opml>"
    read = read_opml(feed.encode())
    assert [f.options for f in read.feeds] == [{}]
    assert "no JSON object" in read.troubles[0].told


def test_what_a_list_keeps_comes_from_its_outlines_only():
    text = """<opml xmlns:fw='urn:framewatch:feeds'><outline fw:kind='x' fw:address='@a'
    fw:options='{"outline": {"groups": [{"a b": "c"}]}, "page": 1}'/></opml>"""
    assert read_opml(text.encode()).feeds[0].options == {"page": 1}


def test_a_feed_inside_a_feed_stands_beside_it():
    text = '<opml><outline text="a" xmlUrl="https://a/"><outline text="b" xmlUrl="https://b/"/></outline></opml>'
    read = read_opml(text.encode())
    assert [outline_of(f.options)[1] for f in read.feeds] == [[], [{"text": "a"}]]
    assert without_lines(read_opml(write_opml(read.feeds)).feeds) == without_lines(read.feeds)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: f"<opml><outline {t}/></opml>".encode()))
def test_nothing_but_our_own_error_comes_out(data):
    with suppress(PermanentError):
        read_opml(data)
