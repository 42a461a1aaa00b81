"""Web feeds: formats, identity, dates, declarations, gaps."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason
from services.sources.items import join_text
from services.sources.rss import parse
from services.sources.rss.bytes import decode
from services.sources.rss.identity import read_policy
from tests.fetch.servers import reply, serve
from tests.sources.kits import DATE, NOW, feed_of, fetch, post, source_of
from tests.sources.kits.rss import encode as rss

AT = "https://e.org/feeds/all.xml"
NOON = datetime(2016, 12, 11, 12, tzinfo=UTC)

RSS_091 = b"""<rss version="0.91"><channel><title>Old</title><language>en-us</language>
<item><title>Headline</title><link>http://e.org/1</link><description>Some text</description></item></channel></rss>"""
RSS_20 = f"""<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>New &amp; good</title><language>ru</language>
<ttl>90</ttl><lastBuildDate>{DATE}</lastBuildDate><item><title>Headline</title><guid isPermaLink="false">g1</guid>
<link>/1?utm_source=rss</link><dc:creator>Anna</dc:creator><pubDate>{DATE}</pubDate><description>Short</description>
<content:encoded><![CDATA[<p>Headline and <b>more</b></p><blockquote>quoted</blockquote>]]></content:encoded>
</item></channel></rss>""".encode()
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://e.org/"><title>RDF</title></channel>
<item rdf:about="http://e.org/1"><title>Headline</title><link>http://e.org/1</link><description>Some text</description>
<dc:date>2016-12-11T13:00:00+01:00</dc:date><dc:language>ar</dc:language></item></rdf:RDF>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Atom</title><updated>2016-12-11T12:00:00Z</updated>
<author><name>House</name></author><entry><id>tag:e.org,2016:1</id><title type="html">Headline &amp;amp; co</title>
<link href="https://e.org/1"/><published>2016-12-11T12:00:00Z</published><updated>2016-12-12T12:00:00Z</updated>
<content type="html">&lt;p&gt;Some text&lt;/p&gt;</content></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "JSON",
        "language": "en",
        "items": [
            {
                "id": 1,
                "url": "https://e.org/1",
                "title": "Headline",
                "content_html": "<p>Some text</p>",
                "date_published": "2016-12-11T12:00:00Z",
                "authors": [{"name": "Anna"}],
            },
            "nonsense",
        ],
    }
).encode()


@pytest.mark.parametrize(
    ("body", "title", "expected"),
    [
        (RSS_091, "Old", ("http://e.org/1", "Headline\n\nSome text", None, "", "en-us")),
        (RSS_20, "New & good", ("g1", "Headline\n\nShort\n\nHeadline and more\nquoted", NOON, "Anna", "ru")),
        (RDF, "RDF", ("http://e.org/1", "Headline\n\nSome text", NOON, "", "ar")),
        (ATOM, "Atom", ("tag:e.org,2016:1", "Headline & co\n\nSome text", NOON, "House", "en")),
        (JSON_FEED, "JSON", ("1", "Headline\n\nSome text", NOON, "Anna", "en")),
    ],
)
def test_every_format_is_read(body, title, expected):
    page = parse(body, address=AT)
    found = page.posts[0]
    assert (page.title, len(page.posts)) == (title, 1)
    assert (found.native_id, found.text, found.published_at, found.author, found.lang) == expected
    assert found.url.startswith(("http://e.org/1", "https://e.org/1"))


def test_what_the_feed_says_of_itself_is_kept():
    page = parse(RSS_20, address=AT)
    assert (page.as_of, page.min_interval) == (NOON, timedelta(minutes=90))
    assert page.posts[0].url == "https://e.org/1?utm_source=rss"
    assert dict(parse(JSON_FEED, address=AT).dropped) == {"no_identity": 1}


@pytest.mark.parametrize(
    ("summary", "body", "text"),
    [
        ("A standfirst", "The story", "A standfirst\n\nThe story"),
        ("The story, told […]", "<p>The story; told at length</p>", "The story; told at length"),
        (
            f"{'The story goes on ' * 5}… The post appeared first on E",
            "<b>The story goes on</b> " * 9,
            ("The story goes on " * 9).strip(),
        ),
        ("The story " * 9, "<i>The story</i>", ("The story " * 9).strip()),
        ("The story", "", "The story"),
    ],
)
def test_a_summary_is_kept_that_says_something_else(summary, body, text):
    content = f"<content:encoded><![CDATA[{body}]]></content:encoded></item>" if body else "</item>"
    feed = rss([post(1, text=summary)]).decode().replace("</item>", content)
    assert parse(feed.encode(), address=AT).posts[0].text == text


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("A", "", "A"),
        ("", "B", "B"),
        ("A headline", "Another text", "A headline\n\nAnother text"),
        ("A headline…", "A  HEADLINE that goes on", "A  HEADLINE that goes on"),
        ("A headline ...", "A headline", "A headline"),
        ("A headline that goes on", "A headline", "A headline that goes on"),
        ("…", "B", "B"),
        ("…", "", "…"),
        ("", "", ""),
    ],
)
def test_nothing_is_said_twice(title, body, text):
    assert join_text(title, body) == text


LATIN = '<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "http://x/xhtml-lat1.ent">%HTMLlat1;'


@pytest.mark.parametrize(
    "head",
    ["<!DOCTYPE rss [<!ENTITY a 'b'>]>", "<!doctype rss SYSTEM 'x' [ <!entity % p SYSTEM 'http://e.org/x'> %p; ]>",
     "<?x <!-- ?><!DOCTYPE rss [<!ELEMENT a (b)><!ENTITY a 'b'>]>", "<!ENTITY a 'b'>", "<!DOCTYPE rss [",
     "<a><![CDATA[ ]]></a><!ENTITY x 'y'>", "<!-- unclosed <!DOCTYPE r [<!ENTITY x 'y'>]>", f"<!DOCTYPE r [{LATIN}<!ENTITY x 'y'>]>",
     "<?xml version='1.0' encoding='utf-7'?><!DOCTYPE x '[' [<!ENTITY x 'y'>]>"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_declared_entities_are_refused_before_parsing(head, encoding):
    body = (head + rss([post(1)]).decode()).encode(encoding)
    with pytest.raises(PermanentError, match="declaration") as caught:
        parse(body, address=AT)
    assert caught.value.reason is Reason.UNSAFE_XML


@pytest.mark.parametrize(
    "head",
    ['<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss-0.91.dtd">', "<!doctype rss>",
     '<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE rdf:RDF SYSTEM \'a>b\'>', f"<!DOCTYPE rss [\n{LATIN}\n]>",
     "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x'>", "<!DOCTYPE rss [<!ELEMENT a (b)>]>"],
)  # fmt: skip
def test_a_doctype_that_declares_nothing_is_left_out_unread(head):
    body = head.encode() + rss([post(1, text="x")]).replace(b"x</desc", b"caf&eacute;</desc")
    assert parse(body, address=AT).posts[0].text == "café"


def test_a_billion_laughs_are_not_heard():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(PermanentError):
        parse(f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]><rss>&l9;</rss>'.encode(), address=AT)


def test_posts_may_talk_about_declarations():
    page = parse(
        rss([post(1, text="x")]).replace(
            b"x</desc", b"<![CDATA[Write &lt;!DOCTYPE html> <!DOCTYPE html> first]]></desc"
        ),
        address=AT,
    )
    assert page.posts[0].text.startswith("Write <!DOCTYPE html>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251", "koi8-r"])
def test_declared_encodings_are_read(encoding):
    xml = rss([post(1, text="Пальмира")]).decode()
    declared = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>{xml}"
    assert parse(declared.encode(encoding), address=AT).posts[0].text == "Пальмира"
    assert "Пальмира" in decode(xml.encode(encoding), f"text/xml; charset={encoding.removesuffix('-sig')}")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1251", "Сегодня утром в Пальмире прошёл концерт, о котором рассказали все каналы."),
        ("koi8-r", "Сегодня утром в Пальмире прошёл концерт, о котором рассказали все каналы."),
        ("windows-1255", "הבוקר התקיים בפלמירה קונצרט שעליו סיפרו כל ערוצי הטלוויזיה"),
        ("windows-1253", "Σήμερα το πρωί έγινε στην Παλμύρα μια συναυλία για την οποία μίλησαν όλα τα κανάλια"),
        ("gb2312", "今天上午在帕尔米拉举行了一场音乐会，全国所有的电视频道都进行了报道。"),
        ("big5", "今天上午在帕邁拉舉行了一場音樂會，全國所有的電視頻道都進行了報導。"),
        ("euc-jp", "今朝パルミラでコンサートが開かれ、すべてのテレビ局がそれを伝えました。"),
        ("shift_jis", "今朝パルミラでコンサートが開かれ、すべてのテレビ局がそれを伝えました。"),
        ("euc-kr", "오늘 아침 팔미라에서 음악회가 열렸고 모든 방송국이 이를 보도했습니다."),
        ("windows-874", "เช้านี้มีคอนเสิร์ตที่ปาลไมราซึ่งสถานีโทรทัศน์ทุกช่องรายงาน"),
        ("windows-1252", "Été où l’œuvre déjà jouée à Palmyre fut applaudie, größte Übung – 50 €."),
    ],
)
def test_an_encoding_nobody_declares_is_known_by_its_letters(encoding, text):
    body = rss([post(1, text=text)]).decode().encode(encoding.replace("windows-874", "cp874"))
    assert parse(body, address=AT).posts[0].text == text
    declared = f"<?xml version='1.0' encoding='{encoding}'?>".encode() + body
    assert parse(declared, address=AT).posts[0].text == text


@pytest.mark.parametrize(
    ("declared", "real"),
    [("utf-16", "utf-8"), ("iso-8859-1", "utf-8"), ("windows-1251", "utf-8"), ("x-unknown", "utf-8"), ("utf-8", "utf-16-le"),
     ("ebcdic-cp-us", "cp037"), ("utf-32", "utf-32"), ("ucs-2", "utf-16-be"), ("us-ascii", "utf-8"), ("KOI8-R", "koi8-r")],
)  # fmt: skip
def test_a_declaration_counts_only_when_it_can_be_true(declared, real):
    text = "cafe" if real == "cp037" else "Пальмира"
    body = f"<?xml version='1.0' encoding='{declared}'?>{rss([post(1, text=text)]).decode()}".encode(real)
    assert parse(body, address=AT).posts[0].text == text


def test_one_bad_byte_does_not_spoil_the_others():
    body = rss([post(1, text="Пальмира и кафе")]).replace(b" ", b" \x93")
    assert "Пальмира “и “кафе" in parse(body, address=AT).posts[0].text
    chinese = (
        "<?xml version='1.0' encoding='gb2312'?>" + rss([post(1, text="今天上午在帕尔米拉举行了一场音乐会")]).decode()
    )
    assert (
        "一场音乐会"
        in parse(chinese.encode("gb2312").replace("天".encode("gb2312"), b"\xff"), address=AT).posts[0].text
    )


def test_an_undeclared_or_wrongly_declared_encoding_loses_little():
    assert "café" in decode(rss([post(1, text="café")]).decode().encode("latin-1"))
    assert "café" in decode(b"<?xml version='1.0' encoding='base64'?>" + rss([post(1, text="café")]))


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (b"a&nbsp;b &unknown; 1 < 2 <br> & <b>c", "a b &unknown; 1 < 2\n& c"),
        (b"<![CDATA[a &amp; <b>b</b>]]", "a & b]]"),
        (b"<p>a<i>b</p></i></span>c", "ab\nc"),
        (b"a<dc:b x='1' x='2' y=3 <z>c", "a<dc:b x='1' x='2' y=3 c"),
        (b"&#0;&#xD800;a&#150;b\xc2\x96c&#x1F600;", "\ufffd\ufffda–b–c😀"),
    ],
)
def test_broken_xml_is_mended(broken, text):
    body = rss([post(1, text="x"), post(2)]).replace(b"x</desc", broken + b"</desc")
    found = parse(body, address=AT).posts
    assert (found[0].text, found[0].native_id, found[1].native_id) == (text, "id-1", "id-2")


@pytest.mark.parametrize(
    "tag", [b"</guid>", b"</description>", b"</pubDate>", b"</link>", b"</author>", b"</item>", b"</title>"]
)
@pytest.mark.parametrize("instead", [b"", b"</", b"</oops>"])
def test_a_missing_end_tag_costs_no_field(tag, instead):
    if instead == b"</":
        instead = tag[:-1]
    body = rss([post(1), post(2)]).replace(tag, instead, 1)
    found = parse(body, address=AT).posts
    assert [p.native_id for p in found] == ["id-1", "id-2"]
    assert [(p.text, p.url) for p in found] == [(f"Post number {n}", f"https://e.org/{n}") for n in (1, 2)]
    assert all(p.published_at == NOON for p in found)


def test_junk_around_a_feed_and_undeclared_prefixes_are_forgiven():
    item = b"<item><title>A</title><dc:date>2016-12-11</dc:date><content:encoded>Long text</content:encoded></item>"
    body = (
        b"PHP Warning: <b>x</b>\n <?xml version='1.0'?><RSS><Channel><Title>T</Title>"
        + item
        + b"</channel></rss>junk<p>"
    )
    page = parse(body, address=AT)
    assert (page.title, page.posts[0].text, page.posts[0].published_at.day) == ("T", "A\n\nLong text", 11)


def test_of_a_document_that_is_cut_off_the_whole_items_are_kept():
    body = rss([post(1), post(2), post(3)])
    for end in range(len(body)):
        with suppress(PermanentError):
            page = parse(body[:end], address=AT)
            assert {p.native_id for p in page.posts} <= {"id-1", "id-2", "id-3"}
            assert {p.text for p in page.posts} <= {f"Post number {n}" for n in (1, 2, 3)}
    assert len(parse(body[: body.index(b"Post number 3")], address=AT).posts) == 2
    late = "<rss><channel><item><title>A</title><link>https://e.org/1</link><guid>id-1"
    assert parse(late.encode(), address=AT).posts == ()  # the link is not what it will be known by
    data = json.loads(JSON_FEED)
    data["items"] = [{"id": str(n), "content_text": f"Post {n}"} for n in range(3)]
    cut = parse(json.dumps(data).encode()[:-8], address=AT)
    assert ([p.native_id for p in cut.posts], cut.title) == (["0", "1"], "JSON")


@pytest.mark.parametrize("bomb", [b"<" * 2 * 10**5, b"<a>" * 10**5, b"<a><b>" * 50_000, b"&amp;" * 2 * 10**5, b"<![CDATA[" * 10**5,
                                  b"<!--" * 10**5, b"<a " + b"b='c' " * 10**5 + b">", b"<item xml:base='a/'>" * 20_000,
                                  b"<!DOCTYPE " * 10**5, b"&" * 10**6, b"<?" * 10**5, b"</item><item>" * 30_000])  # fmt: skip
def test_no_document_takes_more_than_its_length(bomb):
    before = time.process_time()
    with suppress(PermanentError):
        parse(b"<rss version='2.0'><channel>" + bomb, address=AT)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ('<link rel="alternate" type="application/rss+xml" href="/rss?a=1&amp;b=2">', "https://e.org/rss?a=1&b=2"),
        ("<LINK type=application/atom+xml rel='ALTERNATE home' href=https://f.org/atom />", "https://f.org/atom"),
        ('<link rel="alternate" type="application/rss+xml" href="javascript:x">', "RSS or Atom link"),
        ('<link rel="stylesheet" href="/x.css">', "RSS or Atom link"),
    ],
)
def test_a_web_page_names_its_feed(link, found):
    with pytest.raises(PermanentError) as caught:
        parse(f"<!doctype html><html><head>{link}</head></html>".encode(), address="https://e.org/news/")
    assert caught.value.reason is Reason.NOT_A_FEED
    assert found in str(caught.value)


def test_other_documents_are_no_feeds():
    for body in (b"", b"hello", b"<svg/>", b'{"items": []}', b"{", b"<?xml version='1.0'?><opml/>"):
        with pytest.raises(PermanentError, match="neither RSS"):
            parse(body, address=AT)


def test_identity_is_guid_then_link_then_title_and_date():
    posts = [post(1), post(2, id=None, url="HTTPS://E.org:443/2?utm_source=x#top"), post(3, id=None, url=None)]
    posts += [post(n, id=None, url=None, published_at=None) for n in (4, 5)]
    page = parse(rss(posts), address=AT)
    ids = [p.native_id for p in page.posts]
    assert ids[:2] == ["id-1", "https://e.org/2"]
    assert all(i.startswith("title:") for i in ids[2:])
    assert len(set(ids)) == 5
    assert [p.native_id for p in parse(rss(posts), address=AT).posts] == ids


def test_a_guid_that_all_items_share_says_nothing():
    page = parse(rss([post(n, id="same") for n in range(3)] + [post(7)]), address=AT)
    ids = [p.native_id for p in page.posts]
    assert len(set(ids)) == 4
    assert ids[3] == "id-7"
    later = parse(rss([post(2, id="same")]), address=AT, policy=read_policy(page.cursor))
    assert later.posts[0].native_id == ids[2]
    without_links = parse(rss([post(n, id="same", url=None) for n in range(3)]), address=AT)
    assert len({p.native_id for p in without_links.posts}) == 3


def test_a_long_guid_is_shortened_without_collision():
    long = "x" * 5000
    ids = [p.native_id for p in parse(rss([post(1, id=long + "1"), post(2, id=long + "2")]), address=AT).posts]
    assert len(set(ids)) == 2
    assert all(i.startswith("sha256:") for i in ids)


def test_too_many_items_are_counted():
    page = parse(rss([post(n) for n in range(2100)]), address=AT)
    assert (len(page.posts), dict(page.dropped)) == (2000, {"too_many": 100})
    assert len(page.cursor["seen"]) == 2000


def serving(pages):
    """A server that answers with each page in turn, and a run of fetches with the cursors in between."""

    def run(times=None, **changes):
        answers = iter(pages)
        with serve(lambda request, stream: stream.sendall(next(answers))) as server:
            feed, found = feed_of("rss", server.url + "/rss", **changes), []
            for now in times or [NOW + timedelta(hours=n) for n in range(len(pages))]:
                found.append(fetch(server, feed, now))
                feed = replace(feed, cursor=found[-1].cursor)
        return found, server.requests

    return run


def test_a_gap_shows_when_nothing_seen_before_is_left():
    numbers = [range(5), range(3, 8), range(20, 25), [], range(20, 25)]
    found, _ = serving([reply(body=rss([post(n) for n in some])) for some in numbers])()
    assert [page.complete for page in found] == [True, True, False, True, True]


def test_a_wrong_304_is_asked_again_in_full_after_a_day():
    times = [NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=25), NOW + timedelta(hours=26)]
    page = reply(body=rss([post(1)]), etag='"v"', last_modified=DATE)
    found, requests = serving([page, reply(304), page, reply(304)])(times)
    assert ["If-None-Match" in r for r in requests] == [False, True, False, True]
    assert ["If-Modified-Since" in r for r in requests] == [False, True, False, True]
    assert found[1].cursor["full_at"] == NOW.isoformat()


def test_another_address_starts_afresh():
    with serve(reply(body=rss([post(1)]), etag='"v"')) as server:
        first = fetch(server, feed_of("rss", server.url + "/a"))
        second = fetch(server, feed_of("rss", server.url + "/b", cursor=first.cursor))
    assert second.complete
    assert "If-None-Match" not in server.requests[1]


def test_a_feed_that_lives_in_its_own_time_tells_it_also_when_nothing_changed():
    dated = rss([post(1)], head=f"<lastBuildDate>{DATE}</lastBuildDate>")
    older = rss([post(1)], head="<lastBuildDate>Sat, 10 Dec 2016 12:00:00 GMT</lastBuildDate>")
    ahead = rss([post(1)], head="<lastBuildDate>Sat, 10 Dec 2099 12:00:00 GMT</lastBuildDate>")
    pages = [reply(body=dated, etag='"v"'), reply(304), reply(body=older), reply(body=rss([])), reply(body=ahead)]
    found, _ = serving(pages)(clock="feed")
    assert [page.as_of for page in found] == [NOON] * 4 + [NOW + timedelta(hours=4)]
    assert serving([reply(body=dated)])()[0][0].as_of is None


@pytest.mark.parametrize(
    ("ttl", "cache", "wait"),
    [
        ("", "", None),
        ("120", "max-age=60", timedelta(hours=2)),
        ("1", "public, max-age=1800", timedelta(minutes=30)),
        ("99999", "", timedelta(hours=24)),
        ("soon", "max-age=31536000", timedelta(hours=1)),
        ("-5", "max-age=0", None),
    ],
)
def test_the_feed_may_ask_for_rest(ttl, cache, wait):
    body = rss([post(1)], head=f"<ttl>{ttl}</ttl>" if ttl else "")
    found, _ = serving([reply(body=body, cache_control=cache)])()
    assert found[0].min_interval == wait


def test_the_charset_of_the_answer_counts():
    body = rss([post(1, text="Пальмира")]).decode().encode("windows-1251")
    found, _ = serving([reply(body=body, content_type="text/xml; charset=windows-1251")])()
    assert found[0].posts[0].text == "Пальмира"


PAGE = b"""<!doctype html><html><head><base href="/blog/"><link rel=alternate type="application/rss+xml" title="News &amp; more" href="rss">
<link rel="alternate" type="application/feed+json" href="https://f.org/f.json"><link rel="alternate" type="text/html" href="/en">
<link rel="alternate" type="application/rss+xml" href="rss"></head></html>"""


def discover(body, **headers):
    with serve(reply(body=body, **headers)) as server:
        return server.url, source_of("rss", server).discover(server.url + "/start")


def test_a_page_offers_its_feeds_in_order():
    base, found = discover(PAGE)
    assert found == [(base + "/blog/rss", "News & more"), ("https://f.org/f.json", "")]


def test_a_feed_offers_itself():
    base, found = discover(rss([post(1)]))
    assert found == [(base + "/start", "A feed")]


@pytest.mark.parametrize("body", [b"<!doctype html><html></html>", b"hello"])
def test_what_offers_no_feed_says_so(body):
    with pytest.raises(PermanentError) as caught:
        discover(body)
    assert caught.value.reason is Reason.NOT_A_FEED


@pytest.mark.parametrize(("status", "moved"), [(301, True), (308, True), (302, False), (307, False)])
@pytest.mark.parametrize("then", [200, 304])
def test_a_move_for_good_is_told(status, moved, then):
    def answer(request, stream):
        old = request.startswith("GET /old")
        stream.sendall(reply(status, location="/new") if old else reply(then, rss([post(1)]), etag='"v"'))

    with serve(answer) as server:
        feed = feed_of("rss", server.url + "/old")
        known = {"address": feed.address, "etag": '"v"', "full_at": NOW.isoformat()}
        page = fetch(server, replace(feed, cursor=known if then == 304 else {}))
    assert page.moved_to == (server.url + "/new" if moved else "")


def test_the_links_of_a_saved_file_are_read_against_its_own_page():
    body = rss([post(1, url="/1")], head="<link>https://e.org/news/</link>")
    assert parse(body, address="saved.xml").posts[0].url == "https://e.org/1"
    assert parse(body, address=AT).posts[0].url == "https://e.org/1"


def test_where_an_entry_comes_from_is_not_what_it_is():
    source = "<source><id>other</id><title>Elsewhere</title><link href='http://x.org/'/><updated>2001-01-01</updated></source>"
    whole = ATOM.decode().replace("<entry>", f"<entry>{source}")
    for body in (whole, whole.replace("</feed>", "<br>&nbsp;</feed>")):
        found = parse(body.encode(), address=AT).posts[0]
        assert (found.native_id, found.url, found.published_at) == ("tag:e.org,2016:1", "https://e.org/1", NOON)
        assert "Elsewhere" not in found.text
