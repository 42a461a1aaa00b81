"""Every request body and every answer in JSON comes with an example that its own schema takes, and bodies are really taken."""

import copy
import json
from contextlib import nullcontext

import psycopg
import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator, FormatChecker

from services.api import create_api
from services.api.examples import examples, places
from services.classifier.noop import NoopEncoder
from services.store import feeds
from services.store.pool import Store
from tests.api import seeded
from tests.conftest import named

FORMATS = FormatChecker()
NOT_HERE = {
    "post_suggestions_by_suggestion_id_adopt": (404, "suggestion 4"),
}
"""What the house of the test lacks: good questions still, and it says which thing is not there."""


def described():
    nowhere = Store("postgresql://nobody@127.0.0.1:1/none")
    document = create_api(nowhere, now=lambda: seeded.NOW, intake=lambda: None).openapi()
    nowhere.close()
    return document


DOCUMENT = described()
OPERATIONS = {
    o["operationId"]: (path, method, o) for path, ops in DOCUMENT["paths"].items() for method, o in ops.items()
}
BODIES = [
    pytest.param(name, media, id=f"{name} {media}")
    for name, (_, _, o) in OPERATIONS.items()
    for media in o.get("requestBody", {}).get("content", {})
]


@pytest.fixture(scope="module")
def strict():
    """The schemas of the document, in which a property that is not named is a mistake."""
    schemas = copy.deepcopy(DOCUMENT["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return schemas


def faults(schema, example, schemas):
    whole = {**schema, "components": {"schemas": schemas}}
    Draft202012Validator.check_schema(whole)
    return [f"{'.'.join(map(str, e.path))}: {e.message[:200]}" for e in
            Draft202012Validator(whole, format_checker=FORMATS).iter_errors(example)]  # fmt: skip


def shown():
    return [(names[0], told) for told, names in places(DOCUMENT) if "example" in told]


def test_times_are_really_checked(strict):
    assert {"date-time", "date"} <= FORMATS.checkers.keys()
    assert faults({"type": "string", "format": "date-time"}, "12 December", strict)
    post = examples()["Post"]
    assert not faults({"$ref": "#/components/schemas/Post"}, post, strict)
    assert faults({"$ref": "#/components/schemas/Post"}, {**post, "mood": "angry"}, strict)
    assert faults({"$ref": "#/components/schemas/Post"}, {**post, "published_at": "yesterday"}, strict)


@pytest.mark.parametrize(("name", "told"), shown(), ids=[name for name, _ in shown()])
def test_an_example_is_what_its_schema_says(name, told, strict):
    assert not faults(told.get("schema", {}), told["example"], strict)


@pytest.mark.parametrize(("name", "media"), BODIES)
def test_every_request_body_has_an_example(name, media):
    assert "example" in OPERATIONS[name][2]["requestBody"]["content"][media]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_in_json_has_an_example_problems_too(name):
    for status, answer in OPERATIONS[name][2]["responses"].items():
        for media, told in answer.get("content", {}).items():
            if "json" in media:
                assert "example" in told, f"{status} {media}: add it to services/api/examples"


def test_no_example_is_without_a_place():
    used = {id(told["example"]) for _, told in shown()}
    assert {name for name, example in examples().items() if id(example) not in used} == set()


def test_examples_speak_of_one_case():
    """What one answer names, another tells of: the alert, its post and the frame of one story."""
    known = examples()
    alert = known["Alert"]["alert_id"]
    assert alert == known["AlertPage"]["alerts"][0]["alert_id"] == known["Recheck"]["alert_id"]
    assert known["Post"] == known["PostPage"]["posts"][0] == known["Why"]["post"]
    for word in known["Why"]["reasons"][0]["words"]:
        assert known["Why"]["text"][word["start"] : word["end"]] == word["text"]
    assert sum(known["Why"]["reasons"][0]["shares"].values()) == pytest.approx(known["Why"]["reasons"][0]["log_odds"])


@pytest.fixture(scope="module")
def house(postgres_url, template):
    """A house of the same story that may be written to; nothing outside can be asked."""
    name = f"{template}_examples"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    store = Store(named(postgres_url, name), size=4)
    seeded.seed_palmyra(store)
    with store.transaction() as tx:
        feeds.add_feed(tx, source="push", address="archive", title="", now=seeded.NOW, interval_s=60, mode="push")
    app = create_api(store, now=lambda: seeded.NOW, intake=lambda: seeded.runtime(store).intake,
                     borrow=lambda: nullcontext(NoopEncoder()))  # fmt: skip
    with TestClient(app) as client:
        yield client
    store.close()


@pytest.mark.parametrize(("name", "media"), BODIES)
def test_a_house_takes_the_body(name, media, house):
    path, method, operation = OPERATIONS[name]
    alert = next(a["alert_id"] for a in house.get("/api/v1/alerts").json()["alerts"] if a["state"] == "firing")
    known = {"alert_id": alert, "codebook": "palmyra-2016", "name": "staged", "suggestion_id": 4}
    body = operation["requestBody"]["content"][media]["example"]
    sent = (body if isinstance(body, str) else json.dumps(body)).encode()
    query = {"feed": "archive"} if name == "post_posts" else {}
    answer = house.request(method, path.format(**known), content=sent, params=query, headers={"Content-Type": media})
    wanted, told = NOT_HERE.get(name, (answer.status_code, ""))
    assert answer.status_code == wanted
    assert (answer.status_code < 300) == (name not in NOT_HERE), answer.text
    assert told in answer.text
