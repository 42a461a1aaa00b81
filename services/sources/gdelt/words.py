"""GDELT's own words: names of languages, operators of queries, refusals in plain text, and its broken JSON. Pure."""

import re
from datetime import timedelta

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.analysis.text import clean_line

MAX_QUERY = 1000
"""Longest query kept; GDELT itself refuses most beyond some 250 characters, and says so."""
# fmt: off
LANGUAGES = {
    "afrikaans": "af", "albanian": "sq", "arabic": "ar", "armenian": "hy", "azerbaijani": "az", "bengali": "bn",
    "bosnian": "bs", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr", "czech": "cs",
    "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr",
    "galician": "gl", "georgian": "ka", "german": "de", "greek": "el", "gujarati": "gu", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "icelandic": "is", "indonesian": "id", "italian": "it", "japanese": "ja",
    "kannada": "kn", "kazakh": "kk", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "macedonian": "mk",
    "malay": "ms", "malayalam": "ml", "marathi": "mr", "mongolian": "mn", "nepali": "ne", "norwegian": "no",
    "norwegiannynorsk": "nn", "persian": "fa", "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romanian": "ro",
    "russian": "ru", "serbian": "sr", "sinhalese": "si", "slovak": "sk", "slovenian": "sl", "somali": "so",
    "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta", "telugu": "te", "thai": "th", "tibetan": "bo",
    "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "uzbek": "uz", "vietnamese": "vi",
}
# fmt: on
"""GDELT's names of languages (DOC 2.0, SOURCELANG), in lower case, as BCP 47 tags."""
_OPERATOR = re.compile(r"(?:^|[\s(\-])([a-z]+)[0-9]*:", re.IGNORECASE)
_OPERATORS = frozenset(
    (
        *("domain", "domainis", "near", "repeat", "sourcecountry", "sourcelang", "theme", "tone", "toneabs"),
        *("imagefacetone", "imagenumfaces", "imageocrmeta", "imagetag", "imagewebcount", "imagewebtag"),
    )
)
_ESCAPE = re.compile(r"(\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4}))|\\")
_CONTROL = re.compile(r"[\x00-\x1f]")


def unknown_operator(query: str) -> str:
    """The first `word:` of `query` that is no operator of GDELT's; "" when there is none."""
    quoted_out = re.sub(r'"[^"]*"', '""', query)
    return next((name for name in _OPERATOR.findall(quoted_out) if name.lower() not in _OPERATORS), "")


def mended(body: bytes) -> bytes:
    """`body` with backslashes that escape nothing doubled and bare control characters blanked: titles hold both."""
    text = _CONTROL.sub(" ", body.decode("utf-8", "replace"))
    return _ESCAPE.sub(lambda found: found[1] or "\\\\", text).encode("utf-8", "replace")


def refusal(body: bytes) -> FramewatchError | None:
    """What GDELT says in a sentence where it should answer with JSON; None when it says nothing of the kind.

    It answers so with status 200, whatever the trouble is.
    """
    said = clean_line(body[:1000].decode("utf-8", "replace"), limit_bytes=200)
    if not re.match(r"[A-Za-z]{2}[^<{]*$", said):
        return None
    if "limit requests" in said.lower():
        return TransientError(
            Reason.RATE_LIMITED, "GDELT asks for fewer requests than one in 5 seconds.", timedelta(minutes=1)
        )
    if "timeout" in said.lower() or "timed out" in said.lower():
        return TransientError(Reason.SERVER_ERROR, f'GDELT could not finish the search: "{said}". Usually it passes.')
    return PermanentError(Reason.REFUSED, f'GDELT does not take this query: "{said}" Change the query of the feed.')
