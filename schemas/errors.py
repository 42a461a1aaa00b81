"""The two failures we expect, each with a reason from a closed list. Everything else is a bug and is loud."""

from datetime import timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why something failed, in the words used by rows, metrics and log events alike."""

    BLOCKED_ADDRESS = "blocked_address"
    NAME_NOT_FOUND = "name_not_found"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    NO_ACCESS = "no_access"
    NO_CREDENTIALS = "no_credentials"
    BUDGET_SPENT = "budget_spent"
    SILENT = "silent"
    NOT_FOUND = "not_found"
    GONE = "gone"
    REFUSED = "refused"
    REDIRECTED = "redirected"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    NOT_A_FEED = "not_a_feed"
    UNSAFE_XML = "unsafe_xml"
    BAD_ADDRESS = "bad_address"
    BAD_CONFIG = "bad_config"
    UNKNOWN_KIND = "unknown_kind"
    DATABASE_UNAVAILABLE = "database_unavailable"
    BROKER_UNAVAILABLE = "broker_unavailable"
    MODEL_UNAVAILABLE = "model_unavailable"
    BAD_CODEBOOK = "bad_codebook"
    BAD_INPUT = "bad_input"
    CRASHED = "crashed"


class FramewatchError(Exception):
    """A failure we expect: `reason` is from the closed list, the message is worded for the reader."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TransientError(FramewatchError):
    """Worth trying again later; `retry_after` is the other side's wish, when it said one."""

    def __init__(self, reason: Reason, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class PermanentError(FramewatchError):
    """Trying again changes nothing until somebody mends the cause named in the message."""
