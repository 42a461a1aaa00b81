"""Under which id a request goes. Pure: a fresh id is given, not made here."""

import re

_FORM = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
"""What may stand in a header, a line of a log and JSON as it is: UUIDs, ULIDs, base64 and what proxies make of them."""


def request_id(given: str, fresh: str) -> str:
    """The caller's own id where it has the form of one, else `fresh`."""
    return given if _FORM.fullmatch(given) else fresh
