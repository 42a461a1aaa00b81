"""Schemathesis asks everything the OpenAPI document allows, and much that it does not: no answer is a 5xx or unforeseen.

The house holds a few posts judged by the real stage; nothing outside can be asked.
"""

from contextlib import nullcontext

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from services.api import create_api
from services.classifier.noop import NoopEncoder
from services.store.pool import Store
from tests.api import judged, seeded
from tests.conftest import named

TOKEN = "the-operators-own"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/api/v1/openapi.json"
EXAMPLES = 8
ALLOWED, NOT_ALLOWED = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def house(store):
    return create_api(
        store, now=lambda: seeded.NOW, intake=lambda: seeded.runtime(store).intake, token=TOKEN, stopping=lambda: True,
        borrow=lambda: nullcontext(NoopEncoder()),
    )  # fmt: skip


def questions():
    """Every operation, with what is allowed and, where it takes anything, with what is not."""
    nowhere = Store("postgresql://nowhere", size=1)
    document = house(nowhere).openapi()
    nowhere.close()
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield pytest.param(path, method, ALLOWED, id=f"{method} {path}")
            if operation.get("parameters") or operation.get("requestBody"):
                yield pytest.param(path, method, NOT_ALLOWED, id=f"{method} {path} wrongly")


@pytest.fixture(scope="module")
def document(postgres_url, template):
    name = f"{template}_document"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    store = Store(named(postgres_url, name), size=4, statement_timeout_s=20)
    judged.seed(store)
    seeded.ticked(store)
    yield schemathesis.openapi.from_asgi(PATH, house(store), headers=HEADERS)
    store.close()


@pytest.mark.parametrize(("path", "method", "mode"), list(questions()))
def test_no_answer_is_a_5xx_or_unforeseen(document, path, method, mode):
    @seed(20160324)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def ask(case):
        # Whether a thing of a well-formed name exists is not in a schema: 400 and 404 are answers to good questions.
        case.call_and_validate(headers=HEADERS, excluded_checks=[positive_data_acceptance])

    ask()
