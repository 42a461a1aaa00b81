"""The demonstration's mailbox: every mail becomes a file and a page that can do no harm."""

import socket
from datetime import datetime

import pytest

from services.channels import channel_for
from services.demo.mailbox import Mailbox, keep
from tests.channels.conftest import fetcher, free_port
from tests.channels.notices import NOTICES, SENT_AT

NOW = datetime(2016, 12, 12, 9, 0, 5)


@pytest.fixture
def mailbox(tmp_path):
    box = Mailbox(tmp_path / "outbox" / "mail", free_port())
    box.start()
    yield box, tmp_path / "outbox" / "mail"
    box.stop()


def test_mails_become_files(mailbox):
    box, folder = mailbox
    config = {"to": "a@example.org", "sender": "b@example.org", "host": "127.0.0.1", "port": box.port}
    channel = channel_for("mail", {**config, "security": "none"}, fetcher(), public_url="")
    for notice in NOTICES.values():
        channel.send(notice, sent_at=SENT_AT)
    channel.send(NOTICES["test"], sent_at=SENT_AT)
    mails, pages = sorted(folder.glob("*.eml")), sorted(folder.glob("*.html"))
    assert [path.stem for path in mails] == [path.stem for path in pages]
    assert len(mails) == 4
    assert any(path.stem.endswith("-burst-staged-theatrics") for path in mails)
    assert all(b"Message-ID: <n-" in path.read_bytes() for path in mails)
    page = next(path for path in pages if "burst" in path.stem).read_text(encoding="utf-8")
    assert "هذه مسرحية متفق عليها" in page
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_it_can_be_started_again_and_stopped_twice(mailbox):
    box, _ = mailbox
    box.stop()
    box.stop()
    box.start()
    with socket.create_connection(("127.0.0.1", box.port), 2) as line:
        assert line.recv(100).startswith(b"220 ")


@pytest.mark.parametrize(
    ("subject", "stem"),
    [
        ("../../etc/passwd", "20161212T090005-etc-passwd"),
        ("Россия", "20161212T090005-mail"),
        ("", "20161212T090005-mail"),
        ("x" * 400, "20161212T090005-" + "x" * 60),
    ],
)
def test_names_are_plain_and_never_reused(tmp_path, subject, stem):
    content = f"Subject: {subject}\r\n\r\n<script>x</script>\r\n".encode()
    first, second = keep(tmp_path, content, NOW), keep(tmp_path, content, NOW)
    assert (first.stem, second.stem) == (stem, f"{stem}-2")
    assert {path.parent for path in tmp_path.iterdir()} == {tmp_path}
    assert "<script>" not in first.with_suffix(".html").read_text(encoding="utf-8")
