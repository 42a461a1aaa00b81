"""What is told of a feed holds no password and no secret, and is otherwise as it was."""

from datetime import UTC, datetime

import pytest

from services.analysis.confidential import feed_told, masked
from services.analysis.evidence import outage

FEED = {
    "feed_id": 3, "source": "rss", "title": "", "address": "https://me:s3cret@example.org/x", "warning": None,
    "last_error": "https://me:s3cret@example.org/x answers 500", "last_reason": "server_error", "interval_s": 900,
    "options": {"token": "s3cret", "page": 2, "headers": {"X-Auth": "s3cret", "Accept": "text/xml"}},
}  # fmt: skip
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_feed_is_told_without_its_secrets():
    told = feed_told(FEED)
    assert "s3cret" not in str(told)
    assert told["address"] == "https://me:***@example.org/x"
    assert told["options"] == {"token": "***", "page": 2, "headers": {"Accept": "text/xml"}}
    assert {k: told[k] for k in ("feed_id", "interval_s", "warning")} == {
        "feed_id": 3,
        "interval_s": 900,
        "warning": None,
    }
    assert FEED["options"]["token"] == "s3cret", "the row itself is as it was"


def test_an_outage_tells_no_password_to_any_channel():
    bundle = outage("a1", FEED, NOW, NOW)
    assert "s3cret" not in str(bundle)
    assert "me:***@example.org" in bundle["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/a:b@c",
        "no address",
        "https://example.org/x?at=me@example.org&page=2&q=api_key",
        "key=1",
    ],
)
def test_what_holds_no_password_stays(text):
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://e.org/f?key=s3cret", "https://e.org/f?key=***"),
        ("https://e.org/f?page=2&api_key=s3cret#top answers 500", "https://e.org/f?page=2&api_key=***#top answers 500"),
        ("https://e.org/f?accessToken=s3cret&x=1", "https://e.org/f?accessToken=***&x=1"),
    ],
)
def test_a_key_in_an_address_is_told_to_nobody(text, told):
    assert masked(text) == told
    assert masked(told) == told
