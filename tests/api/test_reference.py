"""The page of the API's documentation: all of it, readable by anybody, without a script."""

import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from services.api import create_api
from services.store.pool import Store
from tests.api import seeded


@pytest.fixture(scope="module")
def client():
    store = Store("postgresql://nobody@127.0.0.1:1/none")
    with TestClient(create_api(store, now=lambda: seeded.NOW, intake=lambda: None, token="secret")) as client:
        yield client
    store.close()


class Text(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.text = set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [v for k, v in attrs if k == "id"]

    def handle_data(self, data):
        self.text += data


def test_every_operation_and_parameter_is_there_for_whoever_asks(client):
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200, "nobody needs a token to read how to ask"
    page = Text(answer.text)
    document = client.get("/api/v1/openapi.json", headers={"Authorization": "Bearer secret"}).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in page.text
            assert operation["operationId"] in page.ids
            for parameter in operation.get("parameters", []):
                assert parameter["name"] in page.text
    assert len(page.ids) == len(set(page.ids))
    for words in ("evidence", "expected", "deliveries[].state", "Scope: write", "Example: staged-theatrics",
                  "#palmyra@mastodon.social", "Retaken at breakfast, lost by dinner"):  # fmt: skip
        assert words in page.text
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "script" not in answer.headers["content-security-policy"]
    assert client.get("/api/v1/openapi.json").status_code == 401, "the page alone is open"


def test_generated_clients_get_names_that_can_be_said(client):
    document = client.get("/api/v1/openapi.json", headers={"Authorization": "Bearer secret"}).json()
    names = [o["operationId"] for operations in document["paths"].values() for o in operations.values()]
    assert len(names) == len(set(names))
    assert {"get_trends", "get_alerts_by_alert_id", "post_alerts_by_alert_id_ack", "post_posts"} <= set(names)
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert {t for ops in document["paths"].values() for o in ops.values() for t in o["tags"]} == {
        t["name"] for t in document["tags"]
    }
