"""Notices as mail over SMTP: text and HTML in one message, the same Message-ID on each try.

Goes by the guarded way out. Must not fall back to an unencrypted line, put anything from outside into a header
uncleaned, or say in an error what the server could have learnt from us.
"""

import base64
import re
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from schemas.records import Notice
from services.channels.base import ChannelConfig, Means, Poster
from services.channels.rendering import leave_link, render, render_all
from services.channels.smtp_replies import Refused, failure, refusal
from services.channels.wording import header, stable_id

__all__ = ["Config", "Mail", "render"]

TIMEOUT = 20.0
_NO_ADDRESS = "must be a mail address such as name@example.org, in ASCII (a foreign domain as xn--…)"
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_PERSON = re.compile(r'(?:"?([^"<>\\]*?)"?\s*)?<([^<>]+)>|([^<>]+)')
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def _address(text: str) -> Address:
    found = _PERSON.fullmatch(text.strip())
    name, mailbox = (found[1] or "", found[2] or found[3]) if found else ("", "")
    if not _MAILBOX.fullmatch(mailbox) or header(text) != text:
        raise ValueError(_NO_ADDRESS)
    try:
        return Address(name, addr_spec=mailbox)
    except HeaderParseError:
        raise ValueError(_NO_ADDRESS) from None


def _split(value: Any) -> Any:
    """Addresses given as one string, with commas between them, as a list."""
    return [part for part in _COMMA.split(value) if part.strip()] if isinstance(value, str) else value


def _check_address(text: str) -> str:
    return str(_address(text))


def _check_host(text: str) -> str:
    if not _HOST.fullmatch(text) or ".." in text:
        raise ValueError("must be the name or number of the mail server, such as mail.example.org")
    return text


def _check_plain(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be plain ASCII; other characters cannot be sent to a mail server")
    return text


def _check_secret(secret: SecretStr) -> SecretStr:
    _check_plain(secret.get_secret_value())
    return secret


class Config(ChannelConfig):
    """Whom to write to, and through which server."""

    to: Annotated[
        tuple[Annotated[str, AfterValidator(_check_address)], ...],
        BeforeValidator(_split),
        Field(min_length=1, max_length=100),
    ]
    sender: Annotated[str, AfterValidator(_check_address)]
    host: Annotated[str, AfterValidator(_check_host)]
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: Annotated[str, AfterValidator(_check_plain)] = ""
    password: Annotated[SecretStr, AfterValidator(_check_secret)] = SecretStr("")

    @model_validator(mode="after")
    def _login(self) -> Self:
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("username and password belong together; give both or neither")
        if self.username and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("security: must be starttls or tls, so that the password is not sent in the open")
        return self

    def leads_to(self) -> tuple[tuple[str, int], ...]:
        """The mail server."""
        return ((self.host, self.port or _PORTS[self.security]),)


class Mail:
    """Writes notices to one list of people."""

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._public_url = means.public_url
        self._poster = means.poster

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Hand the mail to the server.

        Whoever the server accepts gets it. When it put others off, all are written to again with the
        same Message-ID (rather twice than never); when it refused them for good, the error names them.
        """
        message = compose(notice, self._config, self._public_url, sent_at=sent_at)
        try:
            refused = self._hand_over(message)
        except (OSError, smtplib.SMTPException) as error:
            raise failure(error, self._config.host, self._secrets()) from None
        if refused:
            raise refusal(refused, len(self._config.to), self._config.host, self._secrets())

    def _secrets(self) -> tuple[str, ...]:
        """What a server may have seen of our login, as it saw it."""
        user, password = self._config.username, self._config.password.get_secret_value()
        coded = (base64.b64encode(raw.encode()).decode() for raw in (f"\0{user}\0{password}", password))
        return (password, *coded) if password else ()

    def _hand_over(self, message: EmailMessage) -> Refused:
        config = self._config
        people = [_address(one).addr_spec for one in config.to]
        smtp = _connect(config, self._poster)
        try:
            if config.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if config.username:
                smtp.login(config.username, config.password.get_secret_value())
            refused: Refused = smtp.send_message(message, _address(config.sender).addr_spec, people)
        except smtplib.SMTPRecipientsRefused as error:
            return error.recipients
        else:
            with suppress(OSError, smtplib.SMTPException):  # it is sent; a bad farewell changes nothing
                smtp.quit()
            return refused
        finally:
            smtp.close()


class _OneLine(UnstructuredHeader):
    """A header that is never folded: Python would write a long address as encoded words, which no reader can follow."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        """As it is; what goes in was checked to be one line."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type]  # it becomes a BaseHeader there
_POLICY = EmailPolicy(header_factory=_HEADERS)


def compose(notice: Notice, config: Config, public_url: str, *, sent_at: datetime) -> EmailMessage:
    """The mail itself; the same notice gives the same Message-ID."""
    text, html, pictures = render_all(notice, public_url)
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = header(notice.subject) or "framewatch"
    message["From"] = _address(config.sender)
    message["To"] = [_address(one) for one in config.to]
    message["Date"] = sent_at
    message["Message-ID"] = f"<{stable_id(notice.message_id)}@framewatch>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Id"] = f"<{notice.kind}.framewatch>"
    for name, value in _ways_out(leave_link(notice.data, public_url)):
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    _, page = message.iter_parts()
    for picture in pictures:
        page.add_related(picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline")
    return message


def _ways_out(address: str) -> tuple[tuple[str, str], ...]:
    """Headers by which a mail program offers to leave the digest.

    One click (RFC 8058) is for HTTPS alone; over HTTP the link is a plain one (RFC 2369); nobody reads the sender's
    mailbox, so that none is named.
    """
    if not address:
        return ()
    one_click = (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),)
    return (("List-Unsubscribe", f"<{address}>"), *(one_click if address.startswith("https://") else ()))


class _Plain(smtplib.SMTP):
    """SMTP over a connection that was checked."""

    def __init__(self, poster: Poster, *args: Any, **more: Any) -> None:
        self._poster = poster
        super().__init__(*args, **more)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = self._poster.connect(host, port, timeout=timedelta(seconds=timeout))
        line.settimeout(timeout)
        return line


class _Encrypted(_Plain):
    """The same, in TLS from its first byte on."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(line, server_hostname=host)


def _connect(config: Config, poster: Poster) -> smtplib.SMTP:
    form = _Encrypted if config.security == "tls" else _Plain
    port = config.port or _PORTS[config.security]
    return form(poster, config.host, port, _address(config.sender).domain, timeout=TIMEOUT)
