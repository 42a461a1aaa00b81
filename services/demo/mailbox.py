"""A mailbox for one machine: an SMTP server on 127.0.0.1 that keeps each mail as a file to look at.

For trying framewatch out and for its tests; must never pass a mail on, and hears nobody but this machine.
"""

import base64
import html
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LOCKED = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'


class Mailbox:
    """Writes mails to `folder` as `<time>-<subject>.eml`, each with an `.html` beside it, from start to stop."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._server: Controller | None = None

    def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._folder.mkdir(parents=True, exist_ok=True)
        server = Controller(self, hostname="127.0.0.1", port=self.port)
        server.start()
        self._server = server

    def stop(self) -> None:
        """Listen no more; the mails stay. Does nothing when it does not listen."""
        server, self._server = self._server, None
        if server:
            server.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        """Keep one mail (the name is aiosmtpd's)."""
        content = envelope.original_content or b""
        keep(self._folder, content, datetime.now(UTC))
        return "250 kept"


def keep(folder: Path, content: bytes, now: datetime) -> Path:
    """Write one mail and its readable page; the path of the `.eml`, never one that exists."""
    mail = message_from_bytes(content, policy=policy.default)
    slug = re.sub(r"[^a-z0-9]+", "-", _subject(mail).lower()).strip("-")[:60] or "mail"
    path = _free(folder, f"{now:%Y%m%dT%H%M%S}-{slug}")
    path.write_bytes(content)
    path.with_suffix(".html").write_text(_page(mail), encoding="utf-8", errors="replace")
    return path


def _free(folder: Path, name: str) -> Path:
    path, number = folder / f"{name}.eml", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.eml"
    return path


def _subject(mail: EmailMessage) -> str:
    return str(mail.get("Subject", ""))


def _page(mail: EmailMessage) -> str:
    """What a reader sees, with scripts and everything remote locked out."""
    body = mail.get_body(("html", "plain"))
    text = str(body.get_content()) if body else ""
    if body is None or body.get_content_subtype() != "html":
        text = f'<html><head><meta charset="utf-8"></head><pre>{html.escape(text)}</pre></html>'
    for part in mail.walk():
        if (name := str(part.get("Content-ID", "")).strip("<>")) and part.get_content_type() == "image/png":
            inside = base64.b64encode(part.get_content()).decode()
            text = text.replace(f"cid:{html.escape(name)}", f"data:image/png;base64,{inside}")
    head, found, rest = text.partition("<head>")
    return f"{head}{found}{_LOCKED}{rest}" if found else _LOCKED + text
