"""Mail over real SMTP servers: what they may answer, encryption, and headers nobody can break."""

import base64
import shutil
import ssl
import subprocess
import traceback
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.channels import channel_for, mail
from tests.channels.conftest import PASSWORD, fetcher
from tests.channels.notices import NOTICES, SENT_AT, alert_data, post

ALERT = NOTICES["alert"]
LOGIN = {"username": "watch", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _short_timeout(monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT", 0.5)


def config(port, /, **more):
    base = {"to": "team@example.org", "sender": "watch@example.org", "host": "127.0.0.1", "security": "none"}
    return {**base, "port": port, **more}


def send(port, notice=ALERT, **more):
    channel = channel_for("mail", config(port, **more), fetcher(), public_url="https://watch.example")
    channel.send(notice, sent_at=SENT_AT)


def test_the_mail_is_one_message_in_two_forms(serve_smtp):
    box = serve_smtp()
    to = '"Команда, дежурные" <team@example.org>, b@example.org'
    send(box.port, to=to, sender="Вахта <watch@example.org>")
    (got,) = box.got
    assert box.envelopes == [("watch@example.org", ["team@example.org", "b@example.org"])]
    assert [a.display_name for a in got["To"].addresses] == ["Команда, дежурные", ""]
    assert got["From"].addresses[0].display_name == "Вахта"
    assert got["Subject"] == "Burst: Staged theatrics"
    assert got["Message-ID"] == "<n-alert-1@framewatch>"
    assert got["Date"].datetime == SENT_AT
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["List-Id"] == "<alert.framewatch>"
    assert got.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    assert not got.defects
    text, html = (part.get_content() for part in got.iter_parts())
    wanted = mail.render(ALERT, "https://watch.example")
    assert [text.splitlines(), html.splitlines()] == [part.splitlines() for part in wanted]
    assert max(map(len, box.raw[0].split(b"\r\n"))) <= 998


ODD_HEADERS = [
    "x\r\nBcc: all@evil.example", "x\nBcc: all@evil.example", "x\rBcc: all@evil.example",
    "x\u2028Bcc: all@evil.example", "x\x00\x0bBcc: all@evil.example", "%0d%0aBcc: all@evil.example",
    "=?utf-8?q?x=0D=0ABcc:_all@evil.example?=", "=?utf-8?b?eA0KQmNjOiBhbGxAZXZpbC5leGFtcGxl?=",
    "=?utf-8?q?x=0ABcc:_all@evil.example?= " * 9, "я\r\n Bcc: all@evil.example", "\ud800\r\n\r\nbody", "x" * 5000,
    "", "\r\n",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_HEADERS)
def test_no_subject_or_id_can_add_a_header_or_a_recipient(serve_smtp, odd):
    box = serve_smtp()
    send(box.port, replace(ALERT, subject=odd, message_id=odd))
    (got,) = box.got
    assert sorted(got.keys()) == sorted([
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "List-Id", "MIME-Version", "Content-Type",
    ])  # fmt: skip
    assert box.envelopes == [("watch@example.org", ["team@example.org"])]
    assert "\n" not in got["Subject"]
    assert got["Subject"].strip()
    assert b"\nBcc:" not in box.raw[0]
    assert len(got["Message-ID"]) < 80
    assert got.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        ("421 going down", TransientError, Reason.SERVER_ERROR),
        ("451 greylisted", TransientError, Reason.SERVER_ERROR),
        ("452 full", TransientError, Reason.SERVER_ERROR),
        ("550 no such user", PermanentError, Reason.REFUSED),
        ("552 too much", PermanentError, Reason.REFUSED),
        ("530 log in first", PermanentError, Reason.NO_ACCESS),
    ],
)
@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_what_the_server_answers(serve_smtp, reply, kind, reason, where):
    box = serve_smtp()
    if where == "rcpt":
        box.on_rcpt = lambda address: reply
    else:
        box.on_data = reply
    with pytest.raises(kind) as caught:
        send(box.port)
    assert caught.value.reason == reason
    assert reply[:3] in str(caught.value)
    assert len(box.got) == (where == "data")


def test_one_dead_address_does_not_keep_the_mail_from_the_others(serve_smtp):
    box = serve_smtp()
    box.on_rcpt = lambda address: "550 unknown" if address.startswith("gone") else "250 fine"
    with pytest.raises(PermanentError, match=r"refused gone@x.example \(550\); the others have got the mail") as caught:
        send(box.port, to="gone@x.example, here@x.example")
    assert caught.value.reason == Reason.REFUSED
    assert box.envelopes == [("watch@example.org", ["here@x.example"])]


def test_who_is_put_off_is_written_to_again(serve_smtp):
    box = serve_smtp()
    replies = {"gone@x.example": "550 unknown", "busy@x.example": "451 later", "here@x.example": "250 fine"}
    box.on_rcpt = replies.__getitem__
    with pytest.raises(TransientError, match=r"put off .*busy@x\.example"):
        send(box.port, to=", ".join(replies))
    assert box.envelopes == [("watch@example.org", ["here@x.example"])]


def test_a_wrong_password_is_no_access(serve_smtp):
    box = serve_smtp()
    wrong = PASSWORD[::-1]
    with pytest.raises(PermanentError, match="refused the login") as caught:
        send(box.port, username="watch", password=wrong)
    assert caught.value.reason == Reason.NO_ACCESS
    assert wrong not in "".join(traceback.format_exception(caught.value))
    assert box.logins
    assert not box.got


def test_the_right_password_gets_in(serve_smtp):
    box = serve_smtp()
    send(box.port, **LOGIN)
    assert box.logins == [(b"watch", PASSWORD.encode())]
    assert len(box.got) == 1


HELLO = ("220 here", "250-here\r\n250 AUTH PLAIN")


@pytest.mark.parametrize(
    ("lines", "kind", "reason"),
    [
        ((), TransientError, Reason.UNREACHABLE),
        (("421 busy",), TransientError, Reason.SERVER_ERROR),
        (("554 not you",), PermanentError, Reason.REFUSED),
        (("HTTP/1.1 400 Bad Request",), TransientError, Reason.SERVER_ERROR),
        (("220 here",), TransientError, Reason.UNREACHABLE),
        ((*HELLO, "454 try again"), TransientError, Reason.SERVER_ERROR),
        ((*HELLO, "535 no"), PermanentError, Reason.NO_ACCESS),
        ((*HELLO, "235 in", "550 not from there"), PermanentError, Reason.REFUSED),
        ((*HELLO, "235 in", "250 ok", "250 ok", "354 go"), TransientError, Reason.UNREACHABLE),
        (("220 here", "250 no login here"), PermanentError, Reason.BAD_CONFIG),
        (("220 here", "250-here\r\n250 AUTH GSSAPI"), PermanentError, Reason.BAD_CONFIG),
    ],
)
def test_a_line_that_goes_wrong(talk, lines, kind, reason):
    with pytest.raises(kind) as caught:
        send(talk(*lines), **LOGIN)
    assert caught.value.reason == reason
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_silence_after_the_mail_is_a_timeout(talk):
    with pytest.raises(TransientError) as caught:
        send(talk(*HELLO, "235 in", "250 ok", "250 ok", "354 go", silent=True), **LOGIN)
    assert caught.value.reason == Reason.TIMEOUT


@pytest.mark.parametrize("farewell", ["221 bye", "421 busy", "500 what"])
def test_once_taken_the_farewell_does_not_matter(talk, farewell):
    lines = ["250 more"] * 3  # the mail itself is many lines; the server answers after the last
    port = talk("220 here", "250 here", "250 ok", "250 ok", "354 go", "250 taken", farewell, *lines)
    send(port)


def test_a_line_cut_before_250_gives_the_same_message_again(serve_smtp, talk):
    with pytest.raises(TransientError):
        send(talk("220 here", "250 here", "250 ok", "250 ok", "354 go"))
    box = serve_smtp()
    send(box.port)
    assert box.got[0]["Message-ID"] == "<n-alert-1@framewatch>"


def test_a_server_that_repeats_our_secret_is_not_quoted(talk):
    coded = base64.b64encode(f"\0watch\0{PASSWORD}".encode()).decode()
    for echo in (PASSWORD, coded, "x" * 150 + PASSWORD):
        with pytest.raises(PermanentError) as caught:
            send(talk(*HELLO, "235 in", f"550 you said {echo}"), **LOGIN)
        assert "withheld" in str(caught.value)
        assert not any(part in str(caught.value) for part in (PASSWORD[:8], coded[:8]))


def test_an_unknown_name_is_transient():
    with pytest.raises(TransientError) as caught:
        send(25, host="mail.invalid")
    assert caught.value.reason == Reason.NAME_NOT_FOUND


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(cert)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this openssl cannot make the certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_lines(serve_smtp, certificate, monkeypatch, security):
    context, cert = certificate
    options = {"tls_context": context, "require_starttls": True} if security == "starttls" else {"ssl_context": context}
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    box = serve_smtp(**options)
    send(box.port, security=security, **LOGIN)
    assert len(box.got) == 1
    assert box.logins


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused_before_the_login(serve_smtp, certificate, security):
    context, _ = certificate
    options = {"tls_context": context} if security == "starttls" else {"ssl_context": context}
    # The server's own trial connection at start must trust it; ours must not.
    box = serve_smtp(**options)
    with pytest.raises(PermanentError) as caught:
        send(box.port, security=security, **LOGIN)
    assert caught.value.reason == Reason.TLS
    assert not box.logins
    assert not box.got


def test_no_fallback_to_a_line_in_the_open(serve_smtp):
    box = serve_smtp()
    with pytest.raises(PermanentError, match="does not offer") as caught:
        send(box.port, security="starttls", **LOGIN)
    assert caught.value.reason == Reason.BAD_CONFIG
    assert not box.logins
    assert not box.got


def test_tls_to_a_server_that_speaks_none(serve_smtp):
    box = serve_smtp()
    with pytest.raises(TransientError) as caught:
        send(box.port, security="tls")
    assert caught.value.reason in (Reason.TLS, Reason.TIMEOUT)


def test_the_mail_survives_being_parsed_back_with_long_odd_texts(serve_smtp):
    box = serve_smtp()
    long = "😀 ‏עברית " * 3000
    carriers = [post(n, long) for n in range(40)]
    send(box.port, replace(ALERT, data=alert_data(first_carriers=carriers)))
    parsed = message_from_bytes(box.raw[0], policy=policy.default)
    assert not parsed.defects
    html = parsed.get_body(("html",)).get_content()
    assert "😀" in html
    assert len(html.encode()) < 100_000  # some readers cut what is longer
