"""Editing a codebook by program: only what was asked changes, and comments, quotes and order stay."""

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codebook import Frame, parse
from schemas.errors import PermanentError, Reason
from services import demo
from services.analysis.editing import add_examples, add_frame, remove_frame, set_threshold

TEXT = """# yaml-language-server: $schema=codebook.schema.json
codebook: a   # its id
title: b

frames:
- id: one  # the first
  title: x
  description: y
  # why these
  examples: ["a", 'b']

- id: two
  title: x
  description: >-
    a long
    text
  examples:
  - no it is
  - yes? "x"
"""
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    str.strip
)
FRAMES = st.builds(
    Frame, id=st.just("new-one"), title=WORDS, description=WORDS, examples=st.lists(WORDS, min_size=1, max_size=4),
    counterexamples=st.just(()), threshold=st.none() | st.floats(0.01, 0.99), note=st.none() | WORDS,
    colour=st.sampled_from([None, "#AA0011"]), disarm=st.sampled_from([(), ("T0023",)]), languages=st.just(("no",)),
    rule=st.sampled_from([None, "quick"]),
)  # fmt: skip


def changed(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if line[:1] in "+-" and line[:3] not in ("+++", "---")]


@settings(deadline=None, max_examples=60)
@given(FRAMES)
def test_an_added_frame_reads_as_it_was_and_nothing_else_changes(frame: Frame) -> None:
    text = TEXT
    edited = add_frame(text, frame)
    assert parse(edited).frames == (*parse(text).frames, frame)
    assert all(line.startswith("+") for line in changed(text, edited))
    assert parse(remove_frame(edited, frame.id)) == parse(text)


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, max_size=3), st.sampled_from(["one", "two"]))
def test_added_examples_are_read_back(texts: list[str], frame: str) -> None:
    edited = add_examples(TEXT, frame, texts)
    before, after = ({f.id: f.examples for f in parse(t).frames} for t in (TEXT, edited))
    new = [t for t in dict.fromkeys(texts) if t.strip() not in before[frame]]
    assert after == {**before, frame: (*before[frame], *new)}
    assert add_examples(edited, frame, texts) == edited


def test_the_bundled_codebook_can_be_edited() -> None:
    text, frame = demo.codebook_text(), Frame(id="new-one", title="A", description="B", examples=("no", "да 🎭"))
    edited = add_frame(text, frame)
    assert parse(edited).frames == (*parse(text).frames, frame)
    assert len(changed(text, edited)) == 6


def test_a_threshold_is_set_moved_and_let_go() -> None:
    set_ = set_threshold(TEXT, "one", 0.25)
    assert changed(TEXT, set_) == ["+  threshold: 0.25"]
    assert changed(set_, set_threshold(set_, "one", 0.5)) == ["-  threshold: 0.25", "+  threshold: 0.5"]
    assert set_threshold(set_, "one", None) == TEXT
    assert parse(set_threshold(demo.codebook_text(), "liberators", 0.9)).frames[6].threshold == 0.9


def test_counterexamples_begin_a_list() -> None:
    assert changed(TEXT, add_examples(TEXT, "two", counterexamples=["q: 1"])) == [
        "+  counterexamples:",
        '+  - "q: 1"',
    ]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda: set_threshold(TEXT, "none", 0.5), "no frame none; known are: one, two"),
        (lambda: set_threshold(TEXT, "one", 1.5), "frame one: threshold .*between 0 and 1"),
        (lambda: add_examples(TEXT, "one", counterexamples=["a"]), "the same text is an example and a counterexample"),
        (lambda: add_frame(TEXT, Frame(id="one", title="x", description="y", examples=("z",))), "used twice"),
        (lambda: add_frame("just words", Frame(id="one", title="x", description="y", examples=("z",))), "starts with"),
        (lambda: remove_frame(remove_frame(TEXT, "one"), "two"), "at least one"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_check(edit, told: str) -> None:
    with pytest.raises(PermanentError, match=told) as error:
        edit()
    assert error.value.reason is Reason.BAD_CODEBOOK
