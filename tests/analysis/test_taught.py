"""Which texts a codebook holds: equal ones, near copies, and no others."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis.duplicates import ALIKE, SHORTEST, letters_of, likeness
from services.analysis.taught import Texts, taught, thresholds

LONG = "The battle was a theatre for the cameras, nothing more than a stage set in the desert"
BODY = f"""
codebook: b
title: B
frames:
  - {{id: one, title: A, description: B, examples: ["{LONG}"], counterexamples: [a play], threshold: 0.4}}
  - {{id: two, title: A, description: B, examples: [bread]}}
background: [lentil soup]
"""


def test_copies_are_held_and_others_are_not() -> None:
    held = (LONG, f"RT @x: {LONG.upper()}!! https://example.org/1", LONG.replace("desert", "sands"), "A play.", "BREAD",
            "lentil soup 🥣")  # fmt: skip
    for text in held:
        assert taught(BODY, text), text
    for text in ("a play in two acts", "bread is dear", "The battle was a theatre", "soup"):
        assert not taught(BODY, text), text
    assert thresholds(BODY) == {"one": 0.4, "two": None}


words = st.lists(
    st.sampled_from(["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]), min_size=4, max_size=14
)


@settings(deadline=None)
@given(st.lists(words, max_size=8), words)
def test_every_near_copy_is_found(held: list[list[str]], asked: list[str]) -> None:
    texts, text = [" ".join(w) for w in held], " ".join(asked)
    letters = letters_of(text)
    expected = any(
        letters == letters_of(t)
        or (min(len(letters), len(letters_of(t))) >= SHORTEST and likeness(letters, letters_of(t)) >= ALIKE)
        for t in texts
    )
    assert Texts(texts).hold(text) == expected
