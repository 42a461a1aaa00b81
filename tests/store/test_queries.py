"""Every query is planned by a real Postgres, has its function, and no other file holds SQL."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from schemas import sql
from services.store.pool import Store
from tests.conftest import named

QUERIES = [(topic, name) for topic in sql.topics() for name in sql.queries(topic)]
HOLDS = re.compile(r"%\((\w+)\)[sb]")


@pytest.fixture(scope="module")
def planner(postgres_url: str, template: str) -> Iterator[Store]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {template}_planner")
        connection.execute(f"create database {template}_planner template {template}")
    store = Store(named(postgres_url, f"{template}_planner"), size=1, name="tests")
    yield store
    store.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database {template}_planner with (force)")


@pytest.mark.parametrize(("topic", "name"), QUERIES)
def test_postgres_can_plan_the_query(planner: Store, topic: str, name: str) -> None:
    text = sql.queries(topic)[name]
    values = dict.fromkeys(HOLDS.findall(text))
    planned = re.sub(r"\)b", ")s", text).rstrip().rstrip(";")
    body = "\n".join(line for line in planned.splitlines() if not line.startswith("--"))
    if body.startswith(("create", "set", "copy")):
        pytest.skip("not a query that is planned")
    with planner.transaction() as tx:
        for make in [q for n, q in sql.queries(topic).items() if n.startswith("make_") and "temporary" in q]:
            tx.execute(make)
        tx.execute(("explain (generic_plan) " if not values else "explain ") + body, values)
        tx.rollback()


@pytest.mark.parametrize(("topic", "name"), QUERIES)
def test_the_query_has_a_function_of_its_name(topic: str, name: str) -> None:
    module = import_module(f"services.store.{topic}")
    function = getattr(module, name, None)
    assert function is not None, f"services/store/{topic}.py lacks {name}()"
    assert function.__module__ == module.__name__
    assert f'"{topic}", "{name}"' in inspect.getsource(function).replace("\n", " ").replace("  ", "")


def test_sql_is_written_nowhere_else() -> None:
    verbs = re.compile(
        r"^\s*(select\s+\S+\s+from|insert\s+into|update\s+\w+\s+set|delete\s+from|with\s+\w+\s+as\s*\()", re.I
    )
    for root in ("services", "workers", "schemas"):
        for path in Path(root).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not verbs.match(node.value), f"{path}:{node.lineno} holds SQL"


def test_a_query_that_names_a_missing_column_is_noticed(store: Store) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn), store.transaction() as tx:
        tx.execute("explain select nothing_of_this_name from posts")
