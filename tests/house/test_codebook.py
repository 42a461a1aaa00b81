"""The codebook: the bundled one is whole, and every mistake is told with line, frame and remedy."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from schemas.codebook import json_schema, notes, parse
from schemas.errors import PermanentError, Reason
from services import demo

GOOD = """codebook: test
title: A test
frames:
  - id: one
    title: One
    description: The first.
    examples: ["a", "b"]
"""
ARABIC, CYRILLIC = re.compile("[\u0600-\u06ff]"), re.compile("[\u0400-\u04ff]")


def refused(text: str) -> str:
    with pytest.raises(PermanentError) as error:
        parse(text, "book.yaml")
    assert error.value.reason is Reason.BAD_CODEBOOK
    return str(error.value)


def test_the_bundled_codebook_has_the_frames_of_the_fall_of_palmyra() -> None:
    book = parse(demo.codebook_text())
    assert [f.id for f in book.frames] == [
        "staged-theatrics", "russia-blames-us", "regime-isis-collusion", "aleppo-diversion", "hospitals-not-isis",
        "unseen-advance", "liberators", "ruins-in-danger",
    ]  # fmt: skip
    for frame in book.frames:
        assert 8 <= len(frame.examples) <= 12
        assert len(frame.counterexamples) >= 4
        for script in (ARABIC, CYRILLIC):
            assert any(script.search(text) for text in frame.examples)


def test_the_sample_posts_are_of_twelve_days_and_mostly_carry_nothing() -> None:
    posts = demo.posts()
    assert len(posts) >= 600
    assert (demo.until() - demo.since()).days == 12
    assert len({p["id"] for p in posts}) == len(posts)
    assert sum(not p["frames"] for p in posts) > len(posts) / 2
    assert {p["lang"] for p in posts} == {"en", "ru", "ar"}
    examples = {text for f in parse(demo.codebook_text()).frames for text in f.examples}
    assert not examples & {p["text"] for p in posts}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("id: one", "id: One!"), r"book.yaml:4: frame One!: id .*use small letters, digits"),
        (('    examples: ["a", "b"]\n', ""), r"book.yaml:4: frame one: examples is missing; add it"),
        (('examples: ["a", "b"]', "examples: []"), r"book.yaml:7: frame one: examples .*give at least one"),
        (
            ("    title: One\n", "    titel: One\n    title: One\n"),
            r"book.yaml:5: frame one: titel is not a known field",
        ),
        (
            ('examples: ["a", "b"]', 'examples: ["a"]\n    counterexamples: ["a"]'),
            r"book.yaml:7: frame one: the same text",
        ),
        (('["a", "b"]', '["a", 7]'), r"book.yaml:7: frame one: examples.2 .*put the text in quotes"),
        (("title: A test", "title: [A test"), r"book.yaml:\d+: this is not YAML"),
        (('["a", "b"]', '["a"]\n    threshold: 3'), r"book.yaml:8: frame one: threshold .*between 0 and 1"),
        (('["a", "b"]', '["a"]\n    colour: red'), r"book.yaml:8: frame one: colour .*write it as"),
        (('["a", "b"]', '["a"]\n    disarm: [T23]'), r"book.yaml:8: frame one: disarm.1 .*T0023"),
        (('["a", "b"]', '["a"]\n    languages: [English]'), r"book.yaml:8: frame one: languages.1 .*such as en"),
        (('["a", "b"]', '["a"]\n    rule: {min_pots: 3}'), r"book.yaml:8: frame one: rule.min_pots is not a known"),
        (('["a", "b"]', '["a"]\n    rule: {frame: one}'), r"book.yaml:8: frame one: rule .*leave it out"),
        (('["a", "b"]', '["a"]\n    rule: 7'), r"book.yaml:8: frame one: rule is no rule; give a saved rule's name"),
    ],
)
def test_a_mistake_is_told_with_line_frame_and_remedy(change: tuple[str, str], told: str) -> None:
    assert re.search(told, refused(GOOD.replace(*change)))


def test_what_is_worth_a_second_look_is_told_with_its_line() -> None:
    other = GOOD.split("frames:\n")[1].replace("one", "two").replace('["a", "b"]', '["c", "d", "c"]')
    told = notes(GOOD + other + "    counterexamples: [b]\n", "book.yaml")
    assert "book.yaml:7: frame one: examples are few (2); give 8 or more" in told
    assert "book.yaml:4: frame one: no counterexamples; near misses make it sharper" in told
    assert "book.yaml:11: frame two: this example stands here twice; remove one" in told
    assert any(n.startswith("book.yaml:7: frame one: this example is a counterexample of two") for n in told)


def test_the_shipped_schema_is_that_of_the_code_and_takes_the_bundled_codebook() -> None:
    """`framewatch codebook schema > schemas/codebook.schema.json` writes it."""
    shipped = json.loads(Path("schemas/codebook.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema()
    judge = jsonschema.Draft202012Validator(shipped)
    judge.check_schema(shipped)
    bundled = yaml.safe_load(demo.codebook_text())
    assert not list(judge.iter_errors(bundled))
    whole = {
        "languages": ["en"],
        "colour": "#D55E00",
        "rule": {"min_posts": 9},
        "disarm": ["T0023.001"],
        "owner": "A",
        "note": "b",
    }
    bundled["frames"][0] |= whole
    assert not list(judge.iter_errors(bundled))
    assert parse(yaml.safe_dump(bundled)).frames[0].rule.min_posts == 9
    for bad in (
        {"colour": "red"},
        {"threshold": 1},
        {"thresold": 0.5},
        {"id": "No!"},
        {"examples": []},
        {"disarm": ["x"]},
    ):
        assert list(judge.iter_errors({**bundled, "frames": [{**bundled["frames"][0], **bad}]})), bad


def test_an_id_used_twice_is_told() -> None:
    twice = GOOD + GOOD.split("frames:\n")[1]
    assert "book.yaml:8: frame one: this id is used twice" in refused(twice)


def test_what_is_no_codebook_at_all_is_told() -> None:
    assert "a codebook starts with" in refused("just words")
    assert "a codebook starts with" in refused("")
    assert parse(GOOD).frames[0].threshold is None
