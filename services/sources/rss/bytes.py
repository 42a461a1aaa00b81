"""Bytes of a feed document → its text: which encoding it is really in. Pure; must not fetch or parse.

A declaration is believed only when it can be true of the bytes. Never raises: what fits no encoding is read as
UTF-8 with the stray bytes of Windows-1252 in it.
"""

import codecs
import re
from functools import lru_cache

from services.sources.rss.guess import guess

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = (
    (re.compile(rb"<\0\0\0[?!A-Za-z]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<\0\0\0[?!A-Za-z]"), "utf-32-be"),
    (re.compile(rb"(?:\s\0)*[<{]\0[?!A-Za-z\"\s]\0"), "utf-16-le"),
    (re.compile(rb"(?:\0\s)*\0[<{]\0[?!A-Za-z\"\s]"), "utf-16-be"),
)
"""How a document begins that has no byte order mark (XML 1.0, appendix F)."""
_EBCDIC = "<?xm".encode("cp037")
_HEAD = 4096
_DECLARED = re.compile(r"""<\?xml\b[^>]{0,200}?encoding\s*=\s*["']\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_WIDE_NAME = re.compile(r"utf[-_]?(?:16|32)|ucs|iso-10646|u16|u32|csunicode|csucs", re.IGNORECASE)
_NOT_FOR_TEXT = frozenset({"utf-7", "idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Python's own escapes, and codecs whose time grows with the square of the length."""
_READ_AS = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "utf-8", "tis-620": "cp874"}
_READ_AS |= {"iso8859-11": "cp874", "iso8859-9": "cp1254", "euc_kr": "cp949", "shift_jis": "cp932"}
"""What browsers read instead (https://encoding.spec.whatwg.org): supersets of what the name says."""
_ALSO = {"x-sjis": "cp932", "windows-31j": "cp932", "x-gbk": "gb18030", "x-euc-jp": "euc_jp", "x-big5": "big5"}
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_STRAY = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)
}  # what `surrogateescape` leaves of a byte that is no UTF-8
_MOST_DAMAGE = 0.1
"""Share of characters beyond ASCII that may be broken before a declaration counts as wrong."""


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a document, without characters that XML forbids.

    In this order, whichever fits the bytes first: byte order mark, the shape of the first characters, its own
    declaration, the charset of `content_type`, UTF-8; then the first of these with little damage.
    """
    return _ILLEGAL.sub("", _decode(body, content_type)).removeprefix("\ufeff")


def _decode(body: bytes, content_type: str) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _forgiving(body[len(mark) :], encoding)
    for shape, encoding in _WIDE:
        if shape.match(body):
            return body.decode(encoding, "replace")
    names = _candidates(body, content_type)
    for name in names:
        try:
            return body.decode(name)
        except UnicodeError:
            continue
    for name in names:
        text = body.decode(name, "replace")
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        if name != "utf-8" and text.count("\ufffd") <= 1 + _MOST_DAMAGE * beyond:
            return text
    mostly = _forgiving(body, "utf-8")
    if _is_mostly_broken(body):
        guessed = guess(body)
        return body.decode(guessed, "replace") if guessed else mostly
    return mostly


def _is_mostly_broken(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    return 2 * text.count("\ufffd") > len(text) - len(text.encode("ascii", "ignore"))


def _candidates(body: bytes, content_type: str) -> list[str]:
    if body.startswith(_EBCDIC):
        declared = _DECLARED.search(body[:_HEAD].decode("cp037"))
        return [*filter(None, (_codec(declared[1], wide=False) if declared else "", "cp037"))]
    declared = _DECLARED.search(body[:_HEAD].decode("latin-1"))
    stated = _CHARSET.search(content_type)
    own = _codec(declared[1], wide=False) if declared else ""
    header = _codec(stated[1], wide=True) if stated else ""
    # A text beyond ASCII that happens to be valid UTF-8 is UTF-8, whatever one-byte encoding it claims to be in.
    first = "utf-8" if _one_byte(own or header) and not body.isascii() else ""
    return [*dict.fromkeys(name for name in (first, own, header, "utf-8") if name)]


@lru_cache(maxsize=256)
def _codec(name: str, *, wide: bool) -> str:
    """Python's name of a text encoding; "" for none, and for two or four bytes a character unless `wide`."""
    if _WIDE_NAME.match(name) and not wide:
        return ""  # the declaration was read as single bytes, so it cannot be true
    try:
        b"x".decode(_ALSO.get(name.lower(), name), "replace")  # refuses codecs that make no text
        found = codecs.lookup(_ALSO.get(name.lower(), name)).name
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NOT_FOR_TEXT else _READ_AS.get(found, found)


@lru_cache(maxsize=256)
def _one_byte(name: str) -> bool:
    if not name or name == "utf-8":
        return False
    return len(bytes(range(0x80, 0x100)).decode(name, "replace")) == 128


def _forgiving(body: bytes, encoding: str) -> str:
    if encoding != "utf-8":
        return body.decode(encoding, "replace")
    try:
        return body.decode()
    except UnicodeError:
        return body.decode("utf-8", "surrogateescape").translate(_STRAY)
