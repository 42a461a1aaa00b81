"""What people read has one word for a thing, in the right number: voices, publishers, authors; never `1 posts`."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.api import create_api
from services.store.pool import Store

ROOT = Path(__file__).parents[2]
NOUNS = (
    "posts|texts|units|voices|authors|publishers|accounts|feeds|frames|alerts|examples|counterexamples|days|hours|minutes|"
    "seconds|tries|times(?! the)|groups|suggestions|versions|judges|labels|files|channels|readers|tokens|pages|languages|messages|"
    "weeks|alarms|words|answers(?! with)|partitions|sources|deliveries|codebooks|shifts"
)
COUNTED = rf" (?:(?!of|in|by|all|to|and|from|at|no|the|holds)[a-z]+ ){{0,2}}({NOUNS})\b"
TEMPLATES = sorted(ROOT.glob("services/*/templates/*"))
PROGRAMS = sorted(path for storey in ("schemas", "services", "workers") for path in (ROOT / storey).rglob("*.py"))
OTHER_WORDS = re.compile(r"\b(units?|sites?|accounts?)\b", re.IGNORECASE)
"""Not said to people: a unit is a voice to them, who publishes is a publisher, who posts is an author."""


BUGS = ("ValueError", "RuntimeError")
"""What these say is read by whoever mends a bug."""


def counts_without_many(text: str) -> Iterator[str]:
    """Places of f-strings where a number stands before a plural that it did not choose."""
    tree = ast.parse(text)
    bugs = (n for n in ast.walk(tree) if isinstance(n, ast.Raise) and ast.unparse(n.exc or n).startswith(BUGS))
    ours = {id(part) for bug in bugs for part in ast.walk(bug)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or id(node) in ours:
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            inner = value.value
            if isinstance(inner, ast.Name) and inner.id.isupper():
                continue  # a number of ours, which is known not to be one
            if re.match(COUNTED, str(after.value)):
                yield f"line {node.lineno}: {ast.unparse(inner)}{after.value}"


def prose(template: str) -> str:
    """A template's own words: no tags of Jinja's or HTML's, no addresses."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"\{[{%#].*?[}%#]\}", " ", template, flags=re.DOTALL))


def test_the_search_finds_what_it_is_for():
    assert list(counts_without_many('f"{n} posts"'))
    assert list(counts_without_many('f"by {len(x):,} new authors since"'))
    assert not list(counts_without_many("f\"{many(n, 'post')} by {MOST} authors\""))
    assert OTHER_WORDS.search(prose("<b>Units seen</b> {{ units }}"))
    assert not OTHER_WORDS.search(prose('{{ item.units | number }} <a href="/sites">voices</a>'))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: str(p.relative_to(ROOT)))
def test_programs_count_with_many(path):
    assert not list(counts_without_many(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_templates_count_with_many_and_know_no_other_word(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(rf"\}}\}}{COUNTED}", text)
    assert not OTHER_WORDS.findall(prose(text))


def described(part: object) -> Iterator[str]:
    """Every description and summary of an OpenAPI document."""
    if isinstance(part, dict):
        yield from (str(part[k]) for k in ("description", "summary") if isinstance(part.get(k), str))
        for value in part.values():
            yield from described(value)
    elif isinstance(part, list):
        for value in part:
            yield from described(value)


def test_what_the_api_says_of_itself_knows_no_other_word():
    """Names of fields are theirs for ever, and may be quoted; what describes them says voices."""
    nowhere = Store("postgresql://nobody@127.0.0.1:1/none")
    told = set(described(create_api(nowhere, now=lambda: datetime.now(UTC), intake=lambda: None).openapi()))
    nowhere.close()
    assert len(told) > 300
    assert not [t for t in told if OTHER_WORDS.search(re.sub(r"`[^`]*`", "", t))]


def test_what_metrics_say_of_themselves_knows_no_other_word():
    calls = [
        node for path in ROOT.glob("services/exporter/*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("gauge", "counter")
    ]  # fmt: skip
    assert len(calls) > 30
    assert not [text for call in calls if OTHER_WORDS.search(text := ast.unparse(call.args[1]))]
