"""Guesses the encoding of a text that declares none and is not UTF-8, from the letters it would then hold. Pure.

Only for scripts whose letters stand in runs and give themselves away; a text with accents here and there is none.
"""

import re

SAMPLE = 60_000
"""Bytes looked at."""
_RUN = re.compile(rb"[\x80-\xff]+")
_SHORTEST_RUN = 3.0
"""Average bytes beyond ASCII in a row: words of another script have more, accents in western words hardly 1.2."""
_LEVEL_1 = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_FREQUENT = re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]")
_KANA = r"[\u3041-\u30fe]"
_SIGNS: tuple[tuple[str, str, float], ...] = (
    # encoding, the letters its texts consist of, least share of them; narrow signs before wide ones
    ("cp1255", r"[\u05d0-\u05ea]", 0.99),
    ("cp1251", "[а-яёіїєў]", 0.7),
    ("cp1253", "[α-ωά-ώ]", 0.7),
    ("koi8_r", "[а-яё]", 0.7),
    ("euc_jp", _KANA, 0.3),
    ("cp949", "[가-힣]", 0.85),
)
_MOST_BROKEN = 0.02
_GREEK_ACCENTS = "[ЬЭЮЯ]"
"""What accented Greek vowels, which are frequent, are in cp1251, where they are rare."""


def guess(body: bytes) -> str:
    """Python's name of the likely encoding of `body`; "" when it does not give itself away."""
    if _is_japanese(body[:SAMPLE].decode("cp932", "replace")):  # half of whose bytes are ASCII
        return "cp932"
    runs = _RUN.findall(body[:SAMPLE])
    if not runs or sum(map(len, runs)) / len(runs) < _SHORTEST_RUN:
        return ""
    beyond = b" ".join(runs)
    for encoding, letters, least in _SIGNS:
        text = beyond.decode(encoding, "replace").replace(" ", "")
        broken = text.count("\ufffd") + (len(re.findall(_GREEK_ACCENTS, text)) if encoding == "cp1251" else 0)
        if broken <= 2 * _MOST_BROKEN * len(text) and len(re.findall(letters, text)) >= least * len(text):
            return encoding
    return _chinese_or_thai(body[:SAMPLE], beyond)


def _is_japanese(text: str) -> bool:
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    kana = len(re.findall(_KANA, text))
    return kana >= max(0.3 * beyond, 4) and text.count("\ufffd") <= _MOST_BROKEN * beyond


def _chinese_or_thai(body: bytes, beyond: bytes) -> str:
    for encoding, frequent in (("gb18030", _LEVEL_1), ("big5", _FREQUENT)):
        text = body.decode(encoding, "replace")
        characters = re.findall(r"[\u3400-\u9fff\ufffd]", text)
        broken = text.count("\ufffd")
        usual = sum(1 for c in characters if c != "\ufffd" and frequent.fullmatch(c.encode(encoding)))
        if characters and broken <= _MOST_BROKEN * len(characters) and usual >= 0.7 * len(characters):
            return encoding
    text = beyond.decode("cp874", "replace").replace(" ", "")
    return "cp874" if len(re.findall(r"[\u0e01-\u0e5b]", text)) >= 0.98 * len(text) else ""
