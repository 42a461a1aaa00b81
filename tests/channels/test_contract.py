"""What every kind of channel must do, whatever it carries notices with."""

import json
import logging
import traceback
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Notice
from services.channels import CHANNELS, channel_for, check_config, check_reach, redact
from services.fetch import Fetcher
from tests.channels.conftest import fetcher
from tests.channels.kits import KITS
from tests.channels.notices import NOTICES, SENT_AT, alert_data, digest_data, post

URL = "https://watch.example/"
ODD = "<script>alert(1)</script>\r\nBcc: all@example.org\r\n=HYPERLINK %0d%0a ‮עברית 😀\x00 \ud800 end"


def channel(rig, kind, **more):
    return channel_for(kind, rig.config | more, rig.poster, public_url=URL)


def send(rig, kind, notice, **more):
    channel(rig, kind, **more).send(notice, sent_at=SENT_AT)


def failed(rig, kind, notice=NOTICES["alert"], **more):
    """The error that sending ends in, and everything that could be logged of it."""
    with pytest.raises((TransientError, PermanentError)) as caught:
        send(rig, kind, notice, **more)
    return caught.value, "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)


def over_http(rig):
    if rig.kit.transport != "http":
        pytest.skip("its own tests say the same of SMTP")
    return rig.receiver


def test_every_kind_has_a_kit():
    assert set(KITS) == set(CHANNELS)


@pytest.mark.parametrize("what", sorted(NOTICES))
def test_hands_every_kind_of_notice_over(rig, kind, what):
    send(rig, kind, NOTICES[what])
    assert len(rig.texts()) == 1
    words = {"alert": "Staged theatrics", "digest": "Россия винит США", "test": "team"}
    assert words[what] in rig.texts()[0]


def test_a_repeat_carries_the_same_id(rig, kind):
    rig.says("later")
    with pytest.raises(TransientError):
        send(rig, kind, NOTICES["alert"])
    rig.says("ok")
    send(rig, kind, NOTICES["alert"])
    send(rig, kind, replace(NOTICES["alert"], message_id="another"))
    first, second, other = rig.ids()
    assert first == second != other
    assert "n-alert-1" in first


def test_later_is_transient_and_never_is_permanent(rig, kind):
    rig.says("later")
    with pytest.raises(TransientError) as later:
        send(rig, kind, NOTICES["digest"])
    rig.says("never")
    with pytest.raises(PermanentError) as never:
        send(rig, kind, NOTICES["digest"])
    assert (later.value.reason, never.value.reason) == (Reason.SERVER_ERROR, Reason.REFUSED)


def test_nobody_there_is_transient(rig, kind):
    with pytest.raises(TransientError) as caught:
        send(rig, kind, NOTICES["test"], **rig.nobody)
    assert caught.value.reason == Reason.UNREACHABLE


def test_silence_is_a_timeout(rig, kind, caplog):
    caplog.set_level(logging.DEBUG)
    rig.poster = rig.hasty
    error, said = failed(rig, kind, NOTICES["test"], **rig.silent)
    assert (type(error), error.reason) == (TransientError, Reason.TIMEOUT)
    said += "".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    assert [secret for secret in rig.secrets if secret in said] == []


def meaning(status):
    """reliability of delivery: which statuses are tried again, and why."""
    if status in (408, 425, 429) or status >= 500:
        return TransientError, {408: Reason.TIMEOUT, 429: Reason.RATE_LIMITED}.get(status, Reason.SERVER_ERROR)
    if status == 410:
        return PermanentError, Reason.GONE
    if status in (401, 403):
        return PermanentError, Reason.NO_ACCESS
    return PermanentError, Reason.REDIRECTED if status < 400 else Reason.REFUSED


def test_the_status_table(rig, kind):
    receiver = over_http(rig)
    receiver.headers = {"Location": f"{receiver.base}/elsewhere", "Retry-After": "120"}
    for status in [300, 301, 302, 304, 307, 308, *range(400, 432), 451, 499, *range(500, 512), 520, 599]:
        receiver.status = status
        error, said = failed(rig, kind, NOTICES["test"])
        assert (status, type(error), error.reason) == (status, *meaning(status))
        assert str(status) in said
        waits = getattr(error, "retry_after", None)
        assert waits == (timedelta(minutes=2) if isinstance(error, TransientError) else None)
    assert len({got.path for got in receiver.asked}) <= 1 + kind.count("matrix")
    receiver.status = 410
    assert "remove this channel" in failed(rig, kind)[1]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_taken_however_it_is_worded(rig, kind, status):
    receiver = over_http(rig)
    receiver.status = status
    if kind == "apprise" and status != 200:
        pytest.skip("Gotify itself says 200 only")
    for answer in (b"", b"ok", b"\xff\xfe", b'{"ok": tru', b"[" * 9000):
        receiver.answer = lambda got, said=answer: said if status != 204 else b""
        send(rig, kind, NOTICES["test"])
    assert len(receiver.asked) == 5


def test_a_truncated_answer_counts_by_its_status(rig, kind):
    receiver = over_http(rig)
    receiver.answer, receiver.cut = (lambda got: b'{"ok"'), 100
    send(rig, kind, NOTICES["test"])
    receiver.status = 503
    assert failed(rig, kind)[0].reason == Reason.SERVER_ERROR


@pytest.mark.parametrize(
    ("text", "wait"),
    [("316800", 86400), ("Mon, 12 Dec 2016 09:10:05 GMT", 600), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400), ("0.5", None),
     ("Mon, 12 Dec 2016 08:00:00 GMT", None), ("soon", None), ("-5", None), ("", None), ("9" * 400, None)],
)  # fmt: skip
def test_the_wait_the_receiver_asks_for(rig, kind, text, wait):
    receiver = over_http(rig)
    receiver.status, receiver.headers = 429, {"Retry-After": text, "Date": "Mon, 12 Dec 2016 09:00:05 GMT"}
    assert failed(rig, kind)[0].retry_after == (None if wait is None else timedelta(seconds=wait))


def test_nobody_but_the_address_given_is_asked_and_a_private_one_not_at_all(rig, kind):
    rig.poster = Fetcher()
    error, said = failed(rig, kind)
    assert (type(error), error.reason) == (PermanentError, Reason.BLOCKED_ADDRESS)
    assert "FRAMEWATCH_ALLOW_NETWORKS" in said
    assert [secret for secret in rig.secrets if secret in said] == []
    with pytest.raises(PermanentError, match="FRAMEWATCH_ALLOW_NETWORKS") as caught:
        check_reach(kind, rig.config, rig.poster)
    assert caught.value.reason == Reason.BLOCKED_ADDRESS
    assert rig.got() == []
    assert check_reach(kind, rig.config, fetcher()) == ""


def test_requests_are_what_the_service_expects(rig, kind):
    receiver = over_http(rig)
    send(rig, kind, NOTICES["alert"])
    send(rig, kind, NOTICES["alert"])
    first, again = receiver.asked
    assert first.path.startswith(rig.kit.path)
    assert first.headers["content-type"].partition(";")[0] == "application/json"
    assert (first.method, first.path, first.body) == (again.method, again.path, again.body)


def test_texts_of_any_size_arrive_cut_not_refused(rig, kind):
    long = ("Театр ‮مسرحية 😀 @here " * 9000)[:100_000]
    posts = [post(n, long, score=0.9) for n in range(40)]
    frame = {"id": "x", "title": long, "description": long}
    notice = Notice("n", "alert", long, alert_data(typical=posts, first_carriers=posts, frame=frame, reason=long))
    if rig.kit.whole:
        notice = replace(notice, data=alert_data(reason=long))
    send(rig, kind, notice)
    (got,) = rig.got()
    assert len(got.body) <= rig.kit.most
    assert "Театр" in rig.texts()[0]


def test_no_text_can_add_a_header_or_another_address(rig, kind):
    evil = "x\r\nX-Evil: yes\r\n\r\nPOST /other HTTP/1.1\x00 ../../?a=b#c"
    data = alert_data(alert_id=evil, rule=evil, kind=evil, frame={"id": evil, "title": evil, "description": evil})
    send(rig, kind, Notice(evil, "alert", evil, data))
    (got,) = rig.got()
    assert "x-evil" not in got.headers
    assert got.path.startswith(rig.kit.path)
    assert b"\nX-Evil: yes" not in got.body.replace(b"\r", b"")
    assert b"\x00" not in got.body
    assert b"\\u0000" not in got.body


def test_what_the_receiver_says_is_told_unless_it_is_our_secret(rig, kind):
    receiver = over_http(rig)
    receiver.status = 400
    receiver.answer = lambda got: b'{"ok": false, "description": "the chat is\\r\\n\xe2\x80\xaeclosed"}'
    said = failed(rig, kind)[1]
    assert ("(the chat is closed)" in said) == (kind != "apprise")
    receiver.answer = lambda got: f"{got.path} {got.headers} {got.body.decode()}".encode()
    said = failed(rig, kind)[1]
    assert [secret for secret in rig.secrets if secret in said] == []


@pytest.mark.parametrize("what", ["alert", "digest", "test"])
def test_odd_text_arrives_as_text(rig, kind, what):
    strange = post(9, ODD, author=ODD, url="javascript:alert(1)", lang=ODD, source=ODD)
    frame = {"id": "x", "title": ODD, "description": ODD}
    data = {
        "alert": alert_data(
            frame=frame, reason=ODD, first_carriers=[strange], typical=[{**strange, "score": 0.5}],
            links=[{"url": ODD, "posts": 1}], alert_id=ODD, rule=ODD, model=ODD,
        ),
        "digest": digest_data(digest=ODD, gaps=[{"feed": ODD, "from": ODD, "until": ODD}]),
        "test": {"channel": ODD},
    }[what]  # fmt: skip
    send(rig, kind, Notice(ODD, what, ODD, data))
    send(rig, kind, Notice(ODD, what, ODD, data))
    assert "\ufffd" in rig.texts()[0]
    assert rig.ids()[0] == rig.ids()[1]
    assert rig.ids()[0].isascii()
    assert rig.ids()[0].isprintable()


def test_secrets_stay_out_of_errors_reprs_and_logs(rig, kind, caplog):
    caplog.set_level(logging.DEBUG, logger="services")
    said = [repr(channel(rig, kind)), repr(channel(rig, kind).__dict__), str(redact(kind, rig.config))]
    said.append(failed(rig, kind, **rig.nobody)[1])
    for how in ("later", "never"):
        rig.says(how)
        said.append(failed(rig, kind, NOTICES["test"])[1])
    said += [record.getMessage() for record in caplog.records if record.name.startswith("services")]
    assert [secret for secret in rig.secrets if any(secret in text for text in said)] == []


def test_a_checked_config_is_json_and_checks_again(rig, kind):
    saved = check_config(kind, rig.config)
    assert check_config(kind, json.loads(json.dumps(saved))) == saved
    assert set(rig.config) <= set(saved)
    channel_for(kind, saved, rig.poster, public_url="")


def test_what_is_wrong_with_a_config_is_named_without_its_values(rig, kind):
    names = list(check_config(kind, rig.config))
    for name in names:
        wrong = {"nested": rig.secrets[0]}
        with pytest.raises(PermanentError) as caught:
            check_config(kind, {**rig.config, name: wrong})
        assert caught.value.reason == Reason.BAD_CONFIG
        assert name in str(caught.value)
        assert rig.secrets[0] not in "".join(traceback.format_exception(caught.value))


def test_unknown_keys_are_refused_and_the_known_ones_named(rig, kind):
    with pytest.raises(PermanentError, match=f"colour is not a field; known are: .*{next(iter(rig.config))}"):
        check_config(kind, {**rig.config, "colour": "red"})
    with pytest.raises(PermanentError) as caught:
        check_config(kind, {**rig.config, f"x {rig.secrets[0]}": "red"})
    assert rig.secrets[0] not in str(caught.value)


def test_a_missing_field_is_named(rig, kind):
    with pytest.raises(PermanentError, match=" is missing"):
        check_config(kind, {})


def test_redacting_hides_secrets_and_what_it_does_not_know(rig, kind):
    shown = redact(kind, {**rig.config, "pasword": rig.secrets[0]})
    assert set(shown) == {*rig.config, "pasword"}
    assert not any(secret in str(shown) for secret in rig.secrets)
    assert redact("pigeon", {"loft": "x"}) == {"loft": "••••••"}


def test_an_unknown_kind_is_named():
    with pytest.raises(
        PermanentError, match=r"'pigeon' is not a kind of channel; known are: alertmanager, .*, webhook"
    ) as caught:
        check_config("pigeon", {})
    assert caught.value.reason == Reason.UNKNOWN_KIND
