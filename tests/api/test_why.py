"""The API says why: what was stored is what is explained, parts add up, and what is missing is said."""

import pytest
from starlette.testclient import TestClient

from services.api import create_api
from services.serve import create_app
from services.settings import Settings
from services.store import posts
from tests.api import judged, seeded

V1 = "/api/v1"


@pytest.fixture
def numbers(store):
    return judged.seed(store)


@pytest.fixture
def web(database_url, tmp_path):
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url="http://127.0.0.1:8787") as client:
        yield client


def ask(web, post_id, status=200, **params):
    answer = web.get(f"{V1}/posts/{post_id}/why", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_post_is_explained_as_it_was_judged(web, numbers, store):
    told = ask(web, numbers["show"])
    with store.transaction() as tx:
        stored = tx.execute("select probabilities from scores where post_id = %s", (numbers["show"],)).fetchone()
    assert [f["probability"] for f in told["frames"]] == pytest.approx(stored["probabilities"], rel=1e-3)
    assert told["post"]["frames"].keys() == {f["frame"] for f in told["frames"] if f["answer"] == "carries"} == {"show"}
    assert told["post"]["text"] == told["text"] == judged.TEXTS["show"]
    assert (told["codebook"], told["version"], told["model"]) == ("small", 1, "noop@1")
    (reason,) = told["reasons"]
    assert reason["examples"][0]["text"] == judged.TEXTS["show"]
    assert reason["examples"][0]["meaning"] == pytest.approx(1, abs=1e-3)
    assert {n["kind"] for n in reason["counterexamples"]} <= {"counterexample", "other frame", "background"}
    assert sum(reason["shares"].values()) == pytest.approx(reason["log_odds"], abs=0.01)
    assert reason["words"]
    assert all(told["text"][w["start"] : w["end"]] == w["text"] for w in reason["words"])
    assert told["words_missing"] is None


def test_the_frame_asked_for_is_explained(web, numbers):
    told = ask(web, numbers["arabic"], frame="other", codebook="small")
    assert [r["frame"] for r in told["reasons"]] == ["other"]
    assert len(told["frames"]) == 2


def test_a_post_that_waits_is_explained_with_the_newest_heads(web, store):
    numbers = judged.seed(store, classified=False)
    told = ask(web, numbers["show"], 503)
    assert (told["reason"], "learned" in told["detail"]) == ("model_unavailable", True)
    judged.run(store)
    with store.transaction() as tx:
        posts.edit_posts(
            tx, [seeded.post("emoji", "a theatre after all", seeded.NOW)], source="rss", received_at=seeded.NOW
        )
        tx.execute("delete from scores where post_id = %s", (numbers["emoji"],))
    assert ask(web, numbers["emoji"])["text"] == "a theatre after all"


def test_a_post_without_a_letter(web, numbers):
    (reason,) = ask(web, numbers["emoji"])["reasons"]
    assert (reason["probability"], reason["log_odds"], reason["words"]) == (0, None, [])


def test_without_the_model_the_examples_are_told_and_the_words_are_missing(store, numbers):
    with TestClient(create_api(store, now=lambda: seeded.NOW, intake=lambda: None)) as bare:
        told = ask(bare, numbers["show"])
    assert told["reasons"][0]["words"] is None
    assert told["words_missing"] == "this process has no model"
    assert told["reasons"][0]["examples"]


def test_another_model_than_the_one_that_judged_tells_no_words(web, numbers, store):
    with store.transaction() as tx:
        tx.execute("update models set name = 'another@1/int8' where name = 'noop@1'")
    told = ask(web, numbers["show"])
    assert "another@1" in told["words_missing"]
    assert told["reasons"][0]["examples"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("0/why", 422), ("-1/why", 422), ("x/why", 422), ("9" * 40 + "/why", 422), (f"{2**63 - 1}/why", 404),
        ("1/why?frame=%00", 422), ("1/why?frame=nope", 404), ("1/why?codebook=nope", 404), ("1/why?q=1", 422),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem(web, numbers, path, status):
    answer = web.get(f"{V1}/posts/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_no_codebook_and_a_deleted_post_are_said(web, store):
    assert "no codebook" in ask(web, 1, 404)["detail"]
    numbers = judged.seed(store)
    with store.transaction() as tx:
        posts.delete_posts(tx, "rss", ["show"], seeded.NOW)
    assert "deleted" in ask(web, numbers["show"], 404)["detail"]


def test_heads_that_cannot_be_read_are_a_503_that_says_what_to_do(client):
    post = client.get(f"{V1}/posts", params={"limit": 1}).json()["posts"][0]
    assert "Apply the codebook again" in ask(client, post["post_id"], 503)["detail"]
