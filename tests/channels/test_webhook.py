"""Signed JSON over HTTP: the signature, the status table, and what the receiver asks for."""

import base64
import hashlib
import hmac
import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.channels import channel_for, check_config, redact
from tests.channels.conftest import HOOK_PATH, fetcher
from tests.channels.kits.webhook import SECRET
from tests.channels.notices import NOTICES, SENT_AT, alert_data

ALERT = NOTICES["alert"]


def send(receiver, notice=ALERT, *, sent_at=SENT_AT, **config):
    channel = channel_for("webhook", {"url": receiver.url, **config}, fetcher(), public_url="")
    channel.send(notice, sent_at=sent_at)
    return receiver.got[-1]


def test_the_signature_can_be_checked_by_the_receiver(receiver):
    headers, body = send(receiver, secret=SECRET)
    key = base64.b64decode("c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz")
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == expected
    assert headers["webhook-id"] == "n-alert-1"
    assert headers["webhook-timestamp"] == "1481533205"
    assert headers["content-type"] == "application/json"


def test_the_reference_library_accepts_us_and_nobody_who_changed_a_byte(receiver):
    library = pytest.importorskip("standardwebhooks")
    now = datetime.now(UTC)
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    headers, body = send(receiver, sent_at=now, secret=f"{new} {SECRET}")
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (new, SECRET):
        assert library.Webhook(secret).verify(body, headers) == json.loads(body)
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(SECRET).verify(body.replace(b"staged", b"stagec"), headers)
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(SECRET).verify(body, headers | {"webhook-id": "n-alert-2"})


def test_without_a_secret_nothing_is_signed(receiver):
    headers, _ = send(receiver)
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "n-alert-1"


@pytest.mark.parametrize(
    ("notice", "kind", "happened"),
    [
        (ALERT, "alert.firing", "2016-12-11T16:00:00Z"),
        (replace(ALERT, data=alert_data(state="resolved")), "alert.resolved", "2016-12-11T16:00:00Z"),
        (NOTICES["digest"], "digest", "2016-12-12T09:00:00Z"),
        (NOTICES["test"], "test", "2016-12-12T09:00:05+00:00"),
    ],
)
def test_the_body_says_what_happened_when_and_the_whole_of_it(receiver, notice, kind, happened):
    _, body = send(receiver, notice)
    assert json.loads(body) == {"type": kind, "timestamp": happened, "data": notice.data}
    assert "\\u" not in body.decode()


def test_a_later_try_has_the_same_body_and_its_own_timestamp(receiver):
    first, second = send(receiver), send(receiver, sent_at=SENT_AT + timedelta(hours=5))
    assert first[1] == second[1]
    assert int(second[0]["webhook-timestamp"]) - int(first[0]["webhook-timestamp"]) == 5 * 3600


def test_the_posters_own_failure_passes_without_the_address():
    url = "https://hook.example" + HOOK_PATH + "?key=abc"

    class Blocked:
        def __init__(self, error):
            self.error = error

        def post(self, url, content, headers):
            raise self.error from OSError(url)

    said = f"{url} is blocked ({HOOK_PATH}?key=abc): 10.0.0.1 is private"
    for error in (
        PermanentError(Reason.BLOCKED_ADDRESS, said),
        TransientError(Reason.UNREACHABLE, said, timedelta(seconds=7)),
    ):
        with pytest.raises(type(error)) as caught:
            channel_for("webhook", {"url": url}, Blocked(error), public_url="").send(ALERT, sent_at=SENT_AT)
        assert caught.value.reason == error.reason
        assert getattr(caught.value, "retry_after", None) == getattr(error, "retry_after", None)
        assert "10.0.0.1 is private" in str(caught.value)
        assert "T0K3N" not in "".join(traceback.format_exception(caught.value))
        assert "hook.example" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://hook.example/", "javascript:alert(1)", "file:///etc/passwd", "http://", "http:///x",
        "https://hook.example/a b", "https://[::1", "https://hook.example/\r\nX: y",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_unseen(url):
    with pytest.raises(PermanentError, match="url: must be http://host/"):
        check_config("webhook", {"url": url})


@pytest.mark.parametrize(
    "secret",
    [
        "hush-hush",
        f"{SECRET} hush",
        "whsec_" + base64.b64encode(b"h" * 65).decode(),
        "whsec_",
        "whsec_hush!!",
        "whsec_" + base64.b64encode(b"h" * 23).decode(),
        "whsec_ключ",
    ],
)
def test_a_weak_secret_is_refused_unseen(secret):
    with pytest.raises(PermanentError, match="secret: must be whsec_ followed by at least 24 random bytes") as caught:
        check_config("webhook", {"url": "https://hook.example/", "secret": secret})
    assert "hush" not in str(caught.value)


def test_a_listing_shows_where_but_not_the_path():
    shown = redact("webhook", {"url": "https://hook.example:8443/T0K3N?x=1", "secret": SECRET})
    assert shown == {"url": "https://hook.example:8443/…", "secret": "••••••"}
    assert redact("webhook", {"url": "https://hush@hook.example?T0K3N", "secret": ""}) == {
        "url": "https://hook.example/…",
        "secret": "",
    }
