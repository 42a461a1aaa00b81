"""Tells near copies of one text: copies that differ only in wrapping have the same unit key.

Pure. It must not look at who wrote a text: which voices count once is decided from keys and authors elsewhere.
"""

import hashlib
import re
import unicodedata

from services.analysis.text import without_wrapping

_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")


def unit_key(text: str) -> bytes:
    """A 16-byte key, equal for copies that differ in `RT @name:`, links, handles, hashtag signs, punctuation,
    emoji, letter case, accents written as separate marks, or white space.

    A text with nothing else in it (a lone link or emoji) gets the key of the raw text.
    """
    letters = _letters(_KEYCAP.sub("", without_wrapping(text, handle=" ")))
    folded = _letters(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letters).casefold()))
    kind, what = (b"text", folded) if folded else (b"raw", text)
    return hashlib.blake2b(what.encode("utf-8", "replace"), digest_size=16, person=kind).digest()


def _letters(text: str) -> str:
    # Letters and digits only; marks go too, so that vowel points and variation selectors make no new unit.
    return "".join(c for c in text if unicodedata.category(c)[0] in "LN")
