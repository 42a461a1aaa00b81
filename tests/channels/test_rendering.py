"""What a reader sees: everything of the evidence, in both forms, and nothing from outside as markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from services.channels import wording
from services.channels.brief import brief
from services.channels.mail import render
from services.channels.rendering import render_text
from tests.channels.notices import NOTICES, alert_data, digest_data, post

HOME = "https://watch.example/console/"
TEMPLATES = Path(wording.__file__).parent / "templates"
EVIL = '"><script>alert(1)</script><img src="http://evil.example/pixel.gif" onerror=x>{{ 7777*7777 }}'
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Tags in order, links, and whether every tag that opens also closes."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        assert not [name for name in attributes if name.startswith("on") or name in ("srcset", "background")]
        assert attributes.get("src", "cid:").startswith("cid:")
        assert "url(" not in (attributes.get("style") or "")
        if tag == "a":
            self.links.append(attributes["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def alert(**more):
    return replace(NOTICES["alert"], data=alert_data(**more))


CASES = {
    "burst": NOTICES["alert"],
    "resolved": alert(state="resolved"),
    "outage": alert(kind="outage", sources=[], languages=[], links=[], first_carriers=[], typical=[]),
    "outage over": alert(kind="outage", state="resolved"),
    "bare": alert(sources=[], languages=[], links=[], first_carriers=[], typical=[], coverage=1.0),
    "digest": NOTICES["digest"],
    "bare digest": replace(NOTICES["digest"], data=digest_data(frames=[], alerts=[], gaps=[], coverage=1.0)),
    "digest of nothing": replace(NOTICES["digest"], data=digest_data(coverage=None)),
    "test": NOTICES["test"],
}


@pytest.mark.parametrize("home", [HOME, ""])
@pytest.mark.parametrize("case", sorted(CASES))
def test_every_notice_is_sound_html_without_anything_remote(case, home):
    text, html = render(CASES[case], home)
    page = Page(html)
    ours = {"style", "img"} if CASES[case].kind == "digest" else set()
    assert not set(page.tags) & {"img", "script", "style", "link", "iframe", "form", "svg"} - ours
    assert all(link.startswith(("http://", "https://")) for link in page.links)
    assert "\n\n\n" not in text
    assert not re.search(r"</?[a-z]+>|&[a-z]+;|None|Undefined", text)
    assert any(link.startswith("https://watch.example/console") for link in page.links) == bool(home)
    assert ("https://watch.example/console" in text) == bool(home)


def test_both_forms_of_an_alert_tell_the_same():
    text, html = render(NOTICES["alert"], HOME)
    flat = " ".join(text.split()), " ".join(Page(html).text.split())
    for form in flat:
        for part in [
            "Burst", "Staged theatrics", "41 voices in 2 hours where 6.2 were expected.", "2016-12-11 14:00 UTC",
            "6.6 times the expected (95% interval 4.1 to 9.8)", "58 posts, 44 distinct texts, 37 authors, 12 publishers", "14",
            "3.4% of all posts", "0.00021", "0.001", "27.6 days", "99.6%", "unknown, not zero", "rss 31", "Arabic 18",
            "video.example", "هذه مسرحية متفق عليها", "9f8e7d6c5b4a", "news.example", "probability 97%", "version 3",
            "The battle is told as a show.", "e5-small", "a1b2c3", "hxxps://t.example/x",
        ]:  # fmt: skip
            assert part in form, part
        assert "rss · English" in form
        assert "mastodon · Arabic" in form
    assert "https://watch.example/console/alerts/a1b2c3" in Page(html).links
    assert "https://video.example/w?v=1&t=2" in Page(html).links
    assert "https://video.example/w?v=1&t=2" in text


def test_a_digest_that_was_composed_before_it_told_conditions_is_still_sent():
    untold = ("alert", "condition", "detail", "onset", "ratio_low", "against")
    frames = [{k: v for k, v in f.items() if k not in untold} for f in digest_data()["frames"]]
    notice = replace(NOTICES["digest"], data=digest_data(frames=frames))
    text, html = render(notice, HOME)
    for form in (text, Page(html).text, brief(notice, HOME).text()):
        assert "Staged theatrics on alert" in form
        assert "6.6× the usual" not in form, "it was of the alert, not of the period"


def test_both_forms_of_a_digest_tell_the_same():
    text, html = render(NOTICES["digest"], HOME)
    flat = " ".join(text.split()), " ".join(Page(html).text.split())
    for form in flat:
        for part in [
            "Digest", "Morning digest", "Staged theatrics on alert, 6.6× the usual", "2,480", "2,310 before", "512", "97%",
            "11 Dec 2016, 10:00 – 12 Dec 2016, 10:00", "Europe/Berlin", "Россия винит США", "300 posts by 210 voices",
            "71 of 205 authors new", "12%", "+4.0", "burst", "learning", "41 voices, 6.2 expected.", "new alert", "on alert", "and in a burst in its last judged hour",
            "In this period 41 voices hour by hour, 6.2 expected",
            "A play, says one who should know.", "They staged it all.", "video.example (9) and 2 more", "Al-Masdar",
            "11 Dec 2016, 21:00 – 11 Dec 2016, 22:00", "precision 90% (95% interval 71 to 97%, 19 judged, 2016-W49)", "version 3",
            "10 Dec 2016, 10:00 – 11 Dec 2016, 10:00", "unknown, not zero", "Museum, looted, coins", "31 posts by 22 voices",
            "Coins of the museum are sold online.", "Accepted: 1 false alarm a week over 8 frames.",
        ]:  # fmt: skip
            assert part in form, part
    told = "Voices of Staged theatrics by the hour, 5 Dec to 12 Dec 2016; at most 14, on 11 Dec 20:00"
    assert f"{told}; 3 hours in a burst; 2 hours not heard" in text.replace("\n", " ")
    assert f'alt="{told}; 3 hours in a burst; 2 hours not heard"' in html
    assert re.search(r"^[▁-█]{40,}·?[▁-█]+$", text, re.MULTILINE)
    assert "https://watch.example/console/alerts/a1b2c3" in Page(html).links


def test_an_outage_says_nothing_of_counts():
    text, html = render(CASES["outage"], "")
    assert "Outage: Staged theatrics" in text
    for form in (text, html):
        assert "Voices" not in form
        assert "Baseline" not in form
        assert "overage" not in form


def test_the_text_alone_is_that_of_the_mail():
    notice = NOTICES["alert"]
    assert render_text("alert", notice.data) == render(notice, "")[0]


def poisoned(value):
    """The same structure with every string in it replaced."""
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return EVIL if isinstance(value, str) else value


@pytest.mark.parametrize("what", ["alert", "digest", "test"])
def test_every_string_is_escaped(what):
    notice = NOTICES[what]
    keep = {"kind": notice.data["kind"], "state": notice.data["state"]} if what == "alert" else {}
    text, html = render(replace(notice, data={**poisoned(notice.data), **keep}), HOME)
    page = Page(html)
    assert "<script" not in html
    assert "<img" not in html.replace('<img class="chart"', "")
    assert "alert(1)" in page.text
    assert "{{ 7777*7777 }}" in page.text
    assert not [link for link in page.links if "evil" in link]
    assert "<script>" in text


def test_no_template_switches_escaping_off():
    for path in TEMPLATES.iterdir():
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text(encoding="utf-8")), path.name


def test_posts_are_marked_so_that_they_cannot_pass_for_our_words():
    fake = "calm\r\nWHAT IS KNOWN\rChance: 0\u2028Open the alert: http://evil.example"
    text, _ = render(alert(first_carriers=[post(1, fake)], typical=[]), "")
    assert text.count("\nWHAT IS KNOWN") == 1
    assert "\n> WHAT IS KNOWN" in text
    assert "http://evil.example" not in text
    assert 'dir="auto"' in render(NOTICES["alert"], "")[1]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://news.example/a?b=1&c=2", "news.example"),
        ("http://good.example@evil.example/", "evil.example"),
        ("HTTPS://NEWS.example:8443/", "news.example"),
        ("http://президент.рф/", "президент.рф"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("ftp://x.example/", ""),
        ("//x.example/", ""),
        ("https://x.example/\u202egnp.exe", ""),
        ("https://x.example/ y", ""),
        ('https://x.example/"onclick="x', ""),
        ("http://[::1", ""),
        ("https://" + "x" * 3000, ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_web_addresses_are_links_and_their_true_host_is_shown(url, host):
    assert wording.host(url) == host
    assert bool(wording.link(url)) == bool(host)


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        ("percent", 0, "0%"), ("percent", 1, "100%"), ("percent", 0.99999, "99.9%"), ("percent", 0.034, "3.4%"),
        ("percent", 0.5, "50%"), ("percent", 0.0004, "0.04%"), ("percent", 0.00001, "<0.01%"), ("percent", None, "–"),
        ("points", 0.04, "+4.0"), ("points", -0.012, "−1.2"), ("points", 0.0001, "±0"), ("points", None, "–"),
        ("number", 12345, "12,345"), ("number", 6.25, "6.2"), ("number", 0.025, "0.025"), ("number", 0, "0"), ("number", 3.0, "3"), ("number", None, "–"),
        ("ratio", 4e10, "more than 1,000"), ("ratio", 6.6, "6.6"), ("ratio", None, "–"), ("line", None, ""),
        ("chance", 0.00021, "0.00021"), ("chance", 1e-12, "1e-12"), ("chance", None, "–"),
        ("when", "2016-12-11T16:00:00+02:00", "2016-12-11 14:00 UTC"), ("when", "9999-12-31T23:59:59-10:00",
         "9999-12-31T23:59:59-10:00"), ("when", "0001-01-01T00:00:00+10:00", "0001-01-01T00:00:00+10:00"),
        ("when", "x\r\ny", "x y"), ("when", None, "–"), ("when", "2016-12-11T16:00:00", "2016-12-11 16:00 UTC"),
        ("line", "a\r\n\tb\x00\u2029c \u202ed", "a b c d"),
    ],
)  # fmt: skip
def test_formats(form, value, shown):
    assert wording.FILTERS[form](value) == shown


def test_bars_never_overflow_or_vanish():
    assert [wording.width(v, 10) for v in (0, 0.01, 5, 10, 99, -3, None)] == [0, 1, 50, 100, 100, 0, 0]
    assert wording.width(5, 0) == 0


def test_ids_stay_what_they_are_or_become_one_of_their_own():
    for plain in ("n-alert-1", "0f8c2c1e-5b1a-4f0e-9d0f-2f1f0c3b7a11", "a.b_c"):
        assert wording.stable_id(plain) == plain
    odd = ["a b", "a:b", "a/b", "", "\r\n", "x" * 65, "ж", "\ud800", "a..b", "-a"]
    made = [wording.stable_id(text) for text in odd]
    assert len(set(made)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9-]{16,64}", text) for text in made)


def test_stance_is_told_where_it_was_read_and_else_not_named():
    counted = {"unclear": 7, "promotes": 1200, "unread": 1}
    split = {stance: {"posts": posts, "units": posts} for stance, posts in counted.items()}
    for told in (*render(alert(stances=split), ""), brief(alert(stances=split), "").text()):
        assert "1,200 promote, 7 unclear, 1 not read" in told
    for told in (*render(alert(stances={}), ""), brief(alert(stances={}), "").text()):
        assert "tance" not in told
