"""How values are worded in a message: cleaned, shortened, formatted. The filters of our templates.

Post text is hostile until it has been through here; nothing here builds markup or reads a clock.
"""

import hashlib
import re
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.analysis.naming import language, many, number

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_SCHEME = re.compile(r"\bh(tt)(ps?://)", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x20\x7f-\x9f<>\"\\^`{|}]")
_SITE = re.compile(r"(?<=[\w-])\.(?=[^\W\d_]{2})")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#|~<>:&])")
_LIST = re.compile(r"^([^\S\n]*\d*)([-+=.])", re.MULTILINE)
_PLAIN_ID = re.compile(r"(?=.{1,64}$)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")


def mend(text: str) -> str:
    """`text` that every encoder takes: lone surrogates become U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def line(value: Any, size: int = 200) -> str:
    """`value` as one line without control or direction characters, at most `size` long."""
    text = _DIRECTION.sub("", _LINE.sub(" ", mend("" if value is None else str(value)))).strip()
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"


def header(value: Any) -> str:
    """`value` fit for a mail header: one line, and nothing a reader could decode into another line."""
    return line(value).replace("=?", "= ?")


def stable_id(text: str, plain: re.Pattern[str] = _PLAIN_ID) -> str:
    """`text` itself when it is `plain`; else a plain id made from all of it, always the same one."""
    if plain.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", text)[:40].strip("-")
    return f"{slug}-{digest}" if slug else digest


def post(value: Any, size: int = 700) -> str:
    """Post text for reading: lines kept, control characters gone, addresses not clickable."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    text = _SCHEME.sub(r"hxx\2", _CONTROL.sub("", mend(text))).strip()
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"


def quote(value: Any, width: int = 76) -> str:
    """Post text for plain mail: every line marked, so that it cannot pass for one of ours."""
    lines = (part for row in post(value).splitlines() for part in textwrap.wrap(row, width) or [""])
    return "\n".join(f"> {part}".rstrip() for part in lines)


def link(value: Any) -> str:
    """The address when it is http or https and names a host, else an empty string."""
    text = mend(str(value)).strip()
    if len(text) > 2000 or _UNSAFE_IN_URL.search(text) or _DIRECTION.search(text):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname else ""


def host(value: Any) -> str:
    """The host a link really leads to, an empty string when it is no link."""
    address = link(value)
    return line(urlsplit(address).hostname or "", 80) if address else ""


def tame(text: str) -> str:
    """`text` in which no chat finds anybody to call or any site to link: `@​here`, `site[.]example`."""
    return _SITE.sub("[.]", text.replace("@", "@\u200b"))


def no_markdown(text: str) -> str:
    """`text` such that Markdown (CommonMark, Discord's, Mattermost's) shows it as it is."""
    return _LIST.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def when(value: Any) -> str:
    """An RFC 3339 time as people read it, in UTC; anything else as it is."""
    at = moment(value)
    if at is None:
        return line(value, 40) if value else "–"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def moment(value: Any) -> datetime | None:
    """An RFC 3339 time, None for anything else."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def local(value: Any, timezone: Any, form: str = "%-d %b %Y, %H:%M") -> str:
    """An RFC 3339 time as the clocks of `timezone` have it (UTC where there is none); anything else as it is."""
    at = moment(value)
    if at is None:
        return line(value, 40) if value else "–"
    try:
        zone = ZoneInfo(str(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return format(at.astimezone(zone), form)


def without(sentence: str, title: Any) -> str:
    """A sentence of ours that follows its own title, without the title."""
    return sentence.removeprefix(f"{line(title)}: ")


def ratio(value: float | None) -> str:
    """How many times as many; beyond a thousand the number says only that almost nothing was expected."""
    return "more than 1,000" if value is not None and value > 1000 else number(value)


_SIDES = {"promotes": "promote", "disputes": "dispute", "reports": "report", "unclear": "unclear", "unread": "not read"}


def sides(stances: Mapping[str, Mapping[str, int]]) -> str:
    """Posts by stance, in one order: `12 promote, 3 report, 2 unclear`."""
    told = [f"{number(stances[s]['posts'])} {word}" for s, word in _SIDES.items() if s in stances]
    return ", ".join(told)


def percent(value: float | None) -> str:
    """A part of one as a percentage; what is less than all never reads 100%."""
    if value is None:
        return "–"
    share = min(100 * value, 99.9) if value < 1 else 100 * value
    if 0 < share < 0.01:
        return "<0.01%"
    return f"{share:.1f}".removesuffix(".0") + "%" if share >= 1 or share == 0 else f"{share:.2f}%"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return "–"
    rounded = round(100 * value, 1)
    return "±0" if rounded == 0 else f"{rounded:+.1f}".replace("-", "−")


def chance(value: float | None) -> str:
    """A probability with two significant digits."""
    return "–" if value is None else f"{value:.2g}"


def width(value: float | None, most: float | None) -> int:
    """How many percent of a bar `value` fills when `most` fills it; anything at all shows."""
    if not value or not most or value < 0:
        return 0
    return max(1, min(100, round(100 * value / most)))


FILTERS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        line, post, quote, link, host, when, local, without, language, number, many, sides, ratio, percent, points,
        chance, width,
    )
}  # fmt: skip
