"""Publishers behind a post: registrable domains of its links, and of its own address where that is an article's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.publishers import MOST, publishers, registrable


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("news.bbc.co.uk", "bbc.co.uk"),
        ("www.rt.com", "rt.com"),
        ("someone.github.io", "someone.github.io"),
        ("xn--d1abbgf6aiiy.xn--p1ai", "xn--d1abbgf6aiiy.xn--p1ai"),
        ("1.2.3.4", "1.2.3.4"),
        ("::1", "::1"),
        ("localhost", "localhost"),
        ("co.uk", "co.uk"),
    ],
)
def test_a_host_belongs_to_who_registered_it(host: str, owner: str) -> None:
    assert registrable(host) == owner


def test_links_of_one_publisher_are_one_and_shorteners_and_platforms_none() -> None:
    text = "https://news.bbc.co.uk/a and https://www.bbc.co.uk/b https://t.co/x https://x.com/somebody HTTPS://RT.com/c"
    assert publishers("x", "https://x.com/somebody/1", text) == ("bbc.co.uk", "rt.com")


def test_an_address_of_its_own_counts_where_it_is_an_articles() -> None:
    assert publishers("rss", "https://edition.cnn.com/a", "No link") == ("cnn.com",)
    assert publishers("mastodon", "https://mastodon.social/@somebody/1", "No link") == ()


@given(st.text(), st.text(), st.text(alphabet="htps:/.[]@%ab1 \n", max_size=200))
def test_any_text_will_do(source: str, url: str, text: str) -> None:
    found = publishers(source, url, text + " https://" + url)
    assert len(found) <= MOST
    assert not any(set(name) & set(" \n\0") for name in found)
