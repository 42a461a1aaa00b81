"""Codebooks over HTTP: previewed without a trace, applied, watched, brought back, and in the audit under the asker's name."""

import pytest
from starlette.testclient import TestClient

from services.analysis.editing import set_threshold
from services.serve import create_app
from services.settings import Settings
from tests.api import judged, seeded
from tests.stages.rescore_worker import runtime
from workers.stages.rescore import rescore
from workers.stages.rollup import rollup

V1 = "/api/v1/codebooks"
EDITED = set_threshold(judged.BOOK, "other", 0.01)


@pytest.fixture
def web(store, database_url, tmp_path):
    judged.seed(store)
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url="http://127.0.0.1:8787") as client:
        yield client


def ask(web, method, path, status, **body):
    answer = web.request(method, V1 + path, json=body if method == "POST" else None)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_codebook_is_previewed_applied_watched_and_brought_back(web, store) -> None:
    told = ask(web, "POST", "/preview", 200, text=EDITED)
    other = next(f for f in told["frames"] if f["frame"] == "other")
    assert (told["posts"], told["version"], other["gained"], other["lost"]) == (4, 1, 3, 0)
    assert other["gains"][0]["after"] >= 0.01
    assert ask(web, "GET", "/changes", 200)["changes"][0]["to_version"] == 1
    applied = ask(web, "POST", "", 202, text=EDITED)
    assert applied == {"codebook": "small", "version": 2, "state": "building", "posts": 4}
    (building,) = ask(web, "GET", "/changes", 200)["building"]
    assert (building["posts"], building["done"], building["share"], building["asked_by"]) == (4, 0, 0, "local")
    rt = runtime(store, now=lambda: seeded.NOW)
    rescore(rt)
    rollup(rt)
    done = ask(web, "GET", "/changes", 200)
    assert done["building"] == []
    assert (done["changes"][0]["state"], done["changes"][0]["moved"]) == ("done", told["moved"])
    assert ask(web, "GET", "/small/versions/2", 200) == {
        "codebook": "small",
        "version": 2,
        "state": "current",
        "text": EDITED,
    }
    assert ask(web, "POST", "/small/rollback", 202)["state"] == "current"
    assert ask(web, "GET", "/small/versions/1", 200)["state"] == "current"
    whole, found, cursor = ask(web, "GET", "/changes", 200)["changes"], [], ""
    while cursor is not None:
        page = ask(web, "GET", f"/changes?codebook=small&limit=1{cursor and f'&cursor={cursor}'}", 200)
        found, cursor = found + page["changes"], page["next"]
    assert found == whole
    assert [c["kind"] for c in whole] == ["rollback", "apply", "apply"]
    assert ask(web, "GET", "/changes?codebook=other", 200)["changes"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/preview", {"text": "just words"}, 400, "a codebook starts with"),
        ("POST", "", {"text": judged.BOOK.replace("id: show", "id: Show!")}, 400, "use small letters"),
        ("POST", "", {"text": ""}, 422, "wrong"),
        ("POST", "/small/rollback", {}, 404, "earlier version"),
        ("POST", "/small/rollback", {"to": 1}, 400, "current one already"),
        ("POST", "/none/rollback", {}, 404, "earlier version"),
        ("GET", "/small/versions/9", {}, 404, "no version 9"),
    ],
)
def test_what_cannot_be_is_told(web, method, path, body, status, told) -> None:
    assert told in ask(web, method, path, status, **body)["detail"]
