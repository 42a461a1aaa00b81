"""Tells the language of a text that does not say its own, and says `und` when it does not know."""

from collections.abc import Callable
from functools import cache

SURE = 0.5
"""Least probability with which a language is named; measured on short posts: no wrong one at or above it."""


@cache
def identifier() -> Callable[[str], tuple[str, float]]:
    """The loaded model of py3langid (97 languages): text to (ISO 639-1 code, probability). Loads once a process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    loaded = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    classify: Callable[[str], tuple[str, float]] = loaded.classify
    return classify


def guess(text: str) -> str:
    """BCP 47 tag of a text, `und` when unsure or when it holds fewer than four letters."""
    if sum(character.isalpha() for character in text[:200]) < 4:
        return "und"
    language, probability = identifier()(text[:1000])
    return language if probability >= SURE else "und"
