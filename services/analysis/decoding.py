"""The text of a file that a person saved with some program, whatever encoding that program likes. Pure."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_RUSSIAN = re.compile("[А-яЁё]{2,}")
_MIXED = re.compile("[A-Za-z][А-яЁё]|[А-яЁё][A-Za-z]")
_LOOKED_AT = 200_000


def decode_text(data: bytes) -> str:
    """`data` as text: by its byte order mark, by the zeros of UTF-16, by what an XML declaration says, as UTF-8, else
    as windows-1251 or windows-1252, whichever gives words of one alphabet. Never raises."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if wide := _wide(data[:_LOOKED_AT]):
        return data.decode(wide, "replace")
    declared = _DECLARED.match(data)
    for name in (declared[1].decode() if declared else "utf-8", "utf-8"):
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):  # LookupError also for codecs that make no text
            continue
    russian = data.decode("cp1251", "replace")
    words = sum(len(word) for word in _RUSSIAN.findall(russian[:_LOOKED_AT]))
    return russian if words > 2 * len(_MIXED.findall(russian[:_LOOKED_AT])) else data.decode("cp1252", "replace")


def _wide(data: bytes) -> str:
    # Addresses are ASCII, so that every other byte of UTF-16 is mostly zero.
    if len(data) < 4:
        return ""
    even, odd = data[0::2].count(0) / len(data), data[1::2].count(0) / len(data)
    return "utf-16-le" if odd > 0.2 > even else "utf-16-be" if even > 0.2 > odd else ""
