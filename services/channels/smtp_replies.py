"""What an SMTP server's answer means, in our two failures.

Nothing a server said about a login is repeated, nor anything in which it gives our secrets back.
"""

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.channels.wording import line

Refused = Mapping[str, tuple[int, bytes]]
"""Recipients that were not accepted, each with the server's code and words."""

_NO_ACCESS = {530, 534, 535, 538}


def failure(error: OSError, host: str, secrets: Sequence[str]) -> FramewatchError:
    """The failure that `error` stands for: nobody has got the mail, as far as we were told."""
    match error:
        case smtplib.SMTPAuthenticationError() if error.smtp_code >= 500:
            said = f"{host} refused the login ({error.smtp_code}); check username and password"
            return PermanentError(Reason.NO_ACCESS, said)
        case smtplib.SMTPAuthenticationError():
            return _reply(error.smtp_code, "", host)
        case smtplib.SMTPResponseException():
            return _reply(error.smtp_code, _words(error.smtp_error, secrets), host)
        case smtplib.SMTPServerDisconnected():
            reason = Reason.TIMEOUT if isinstance(error.__context__, TimeoutError) else Reason.UNREACHABLE
            return TransientError(reason, f"{host} dropped the line before taking the mail")
        case smtplib.SMTPException():
            said = f"{host} does not offer the encryption or login configured; change security, port or username"
            return PermanentError(Reason.BAD_CONFIG, said)
        case _:
            return _no_line(error, host)


def refusal(refused: Refused, asked: int, host: str, secrets: Sequence[str]) -> FramewatchError:
    """The failure when `refused` of the `asked` recipients were not accepted."""
    people = ", ".join(f"{who} ({code})" for who, (code, _) in refused.items())
    code, text = next(iter(refused.values()))
    if any(code < 500 for code, _ in refused.values()):
        return TransientError(Reason.SERVER_ERROR, f"{host} put off {people}")
    reason = Reason.NO_ACCESS if code in _NO_ACCESS else Reason.REFUSED
    rest = "nobody has got the mail" if len(refused) == asked else "the others have got the mail"
    return PermanentError(reason, f"{host} refused {people}; {rest}; mend `to`: {_words(text, secrets)}")


def _no_line(error: OSError, host: str) -> FramewatchError:
    match error:
        case ssl.SSLCertVerificationError():
            said = f"{host}: its certificate is not valid here ({line(error.verify_message)})"
            return PermanentError(Reason.TLS, said)
        case ssl.SSLError():
            return TransientError(Reason.TLS, f"{host}: no encrypted line; do port and security fit?")
        case TimeoutError():
            return TransientError(Reason.TIMEOUT, f"{host} did not answer in time")
        case socket.gaierror():
            return TransientError(Reason.NAME_NOT_FOUND, f"{host}: no such name, or no name server")
        case _:
            return TransientError(Reason.UNREACHABLE, f"{host}: {error.strerror or 'no connection'}")


def _reply(code: int, words: str, host: str) -> FramewatchError:
    text = f"{host} answered {code} {words}".rstrip()
    if code in _NO_ACCESS:
        return PermanentError(Reason.NO_ACCESS, f"{text}; check username and password")
    if 500 <= code < 600:
        return PermanentError(Reason.REFUSED, text)
    return TransientError(Reason.SERVER_ERROR, text)


def _words(reply: bytes | str, secrets: Sequence[str]) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return "(reply withheld)" if any(secret in text for secret in secrets) else line(text, 160)
