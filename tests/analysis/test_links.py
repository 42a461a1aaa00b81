import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.links import domain, normalise_link, web_link

URLISH = st.lists(
    st.sampled_from(
        [
            "http://",
            "https://",
            "e.org",
            "[::1]",
            ":80",
            ":443",
            "/",
            "?",
            "&",
            "=",
            "#",
            "a",
            "utm_x=1",
            "cdn.ampproject.org",
            "google.com/amp/s/",
            "/c/s/",
            "/amp",
            ".amp",
            "amp=1",
            "-",
            ".html",
        ]
    )
    | st.text(max_size=3),
    max_size=10,
).map("".join)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://WWW.E.org:80", "http://www.e.org/"),
        ("https://e.org:443/a?utm_source=x&id=1&fbclid=2&UTM_Medium=z&b=#top", "https://e.org/a?id=1&b="),
        ("https://e.org:8443/A?b=2&a=1", "https://e.org:8443/A?b=2&a=1"),
        ("https://name:word@e.org/?gclid=1", "https://e.org/"),
        (" https://e.org/a b ", "https://e.org/a%20b"),
        ("https://e.org/путь", "https://e.org/путь"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
    ],
)
def test_one_page_has_one_address(url, normal):
    assert normalise_link(url) == normal


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://e-org.cdn.ampproject.org/c/s/e.org/a-story/amp/?usqp=mq331AQ&id=3", "https://e.org/a-story/?id=3"),
        ("https://cdn.ampproject.org/v/e.org/1?amp_js_v=0.1", "http://e.org/1"),
        ("https://www.google.co.uk/amp/s/www.e.org/news/story-1.amp.html", "https://www.e.org/news/story-1.html"),
        ("https://www.google.com/amp/s/e-org.cdn.ampproject.org/c/s/e.org/1", "https://e.org/1"),
        ("https://e.org/2016/12/11/amp", "https://e.org/2016/12/11"),
        ("https://e.org/a-story/AMP/", "https://e.org/a-story/"),
        ("https://e.org/a-story?amp&x=1&amp=1", "https://e.org/a-story?x=1"),
        ("https://e.org/story.amp", "https://e.org/story"),
        ("https://e.org/story?outputType=amp", "https://e.org/story"),
        ("https://e.org/guitars/amp/", "https://e.org/guitars/amp/"),
        ("https://e.org/amp", "https://e.org/amp"),
        ("https://e.org/.amp", "https://e.org/.amp"),
        ("https://e.org/?amp=220V", "https://e.org/?amp=220V"),
        ("https://google.com/search?q=amp/s/e.org/", "https://google.com/search?q=amp/s/e.org/"),
        ("https://e.org/c/s/f.org/1", "https://e.org/c/s/f.org/1"),
    ],
)
def test_the_amp_forms_of_a_page_are_that_page(url, page):
    assert normalise_link(url) == page
    assert normalise_link(page) == page


@pytest.mark.parametrize(
    "url",
    [
        "",
        "e.org/a",
        "javascript:alert(1)",
        "ftp://e.org/",
        "http://",
        "http://e.org:99999/",
        "http://[::1/",
        "//e.org/",
        "http://e\0.org/",
        "http://evil.org\\@e.org/",
        "http://e.org/\ud800",
        "http://e.org/" + "a" * 3000,
        "http://a%62.org",
    ],
)
def test_what_is_no_web_address_has_none(url):
    assert normalise_link(url) == web_link(url) == domain(url) == ""


def test_a_readers_link_keeps_its_fragment_but_no_password():
    assert web_link("https://me:secret@e.org/#!topic/x?utm_source=a") == "https://e.org/#!topic/x?utm_source=a"


def test_the_domain_is_the_host():
    assert domain("https://WWW.News.E.org:8443/x") == "news.e.org"


@given(URLISH | st.text())
def test_normalising_again_changes_nothing(url):
    normal = normalise_link(url)
    assert normalise_link(normal) == normal
    assert bool(normal) == bool(web_link(url)) == bool(domain(url) or normal)
