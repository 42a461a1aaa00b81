"""House law: sizes, words at the head of each file, one reader of the environment, names that are ours alone."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from schemas import sql
from services.settings import Settings

ROOTS = ("schemas", "services", "workers")
FILES = sorted(path for root in ROOTS for path in Path(root).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 300, 50, 6


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(text)), "the first line says what this module is"
    for node in functions(path):
        lines = (node.end_lineno or 0) - node.lineno + 1
        assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"
        positional = [a for a in [*node.args.posonlyargs, *node.args.args] if a.arg not in ("self", "cls")]
        assert len(positional) <= MOST_PARAMETERS, f"{node.name} takes {len(positional)} by position"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_settings_read_the_environment(path: Path) -> None:
    if path != Path("services/settings.py"):
        assert not re.search(r"\bos\.(environ|getenv)\b|from os import .*\b(environ|getenv)\b", path.read_text("utf-8"))


def test_a_stage_has_one_try_at_most() -> None:
    for path in Path("workers/stages").glob("*.py"):
        tries = sum(isinstance(n, ast.Try) for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert tries <= 1, path


def test_every_setting_is_documented_for_operators() -> None:
    example = Path("deploy/env.example").read_text(encoding="utf-8")
    for field in fields(Settings):
        assert f"FRAMEWATCH_{field.name.upper()}" in example, field.name


def test_the_compose_file_names_only_our_settings() -> None:
    known = {f"FRAMEWATCH_{f.name.upper()}{end}" for f in fields(Settings) for end in ("", "_FILE")}
    compose = yaml.safe_load(Path("docker-compose.yml").read_text(encoding="utf-8"))
    named = set(re.findall(r"FRAMEWATCH_[A-Z_]+", yaml.safe_dump(compose["services"])))
    assert named <= known


def test_our_top_level_names_are_ours_alone() -> None:
    for name in ROOTS:
        owners = set(packages_distributions().get(name, []))
        assert owners <= {"framewatch"}, f"{name} is also shipped by {owners}"


def test_no_column_that_decides_is_set_by_the_database_clock() -> None:
    for path in Path("schemas/sql/migrations").glob("*.sql"):
        sql = "\n".join(line.split("--")[0] for line in path.read_text("utf-8").splitlines())
        assert not re.search(r"default\s+(now\(\)|current_timestamp|clock_timestamp\(\))", sql, re.I)


def test_tasks_take_no_arguments() -> None:
    for node in functions(Path("workers/tasks.py")):
        assert not [*node.args.args, *node.args.kwonlyargs], node.name


def test_what_is_installed_is_what_is_pinned() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        assert re.search(r"==|<", requirement), f"{requirement} has no upper bound"
        assert not requirement.startswith("torch")


def test_every_migration_has_a_number_of_its_own() -> None:
    numbers = [number for number, _, _ in sql.migrations()]
    assert len(numbers) == len(set(numbers)), "of two with one number only one would be applied"
