"""Judging over the API: blind samples, idempotent answers, and the quality of frames wherever they are told."""

import json

import pytest

from services.store.pool import Store
from tests.api.week import seed_week

V1 = "/api/v1"
SEEN = {"post_id", "text", "lang", "source", "published_at"}


@pytest.fixture
def drawn(store: Store, database_url: str, web):
    seed_week(store)
    return web


def ask(web, judge="anna", **more):
    answer = web.get(f"{V1}/samples", params={"frame": "show", "judge": judge, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(web, **told):
    return web.post(f"{V1}/labels", json={"frame": "show", "judge": "anna", "answer": "yes", **told})


def test_samples_are_told_blind(drawn):
    told = ask(drawn, limit=100)
    assert (told["title"], told["description"], told["judge"]) == ("A show", "It is all staged.", "anna")
    assert len(told["samples"]) == 17
    assert {key for sample in told["samples"] for key in sample} == SEEN
    body = json.dumps(told)
    assert not any(word in body for word in ("stratum", "inclusion", "probability", "carried", "score"))


def test_an_answer_is_kept_once_and_the_sample_is_not_asked_again(drawn):
    first = ask(drawn)["samples"][0]["post_id"]
    kept = [say(drawn, post_id=first).json() for _ in range(2)]
    assert kept[0] == kept[1]
    assert (kept[0]["answer"], kept[0]["origin"], kept[0]["judge"]) == ("yes", "sample", "anna")
    assert first not in [s["post_id"] for s in ask(drawn, limit=100)["samples"]]
    assert first in [s["post_id"] for s in ask(drawn, "boris", limit=100)["samples"]]
    assert say(drawn, post_id=first, judge=None).json()["judge"] == "local", "whoever holds the token"


def test_what_is_no_answer_is_refused(drawn):
    for told, status in (
        ({"post_id": 10**9}, 404),
        ({"post_id": 1, "frame": "no-such"}, 404),
        ({"post_id": 1, "answer": "perhaps"}, 422),
        ({"post_id": 0}, 422),
        ({"post_id": 1, "judge": " anna"}, 422),
        ({"post_id": 1, "judge": "an\u202ena"}, 422),
        ({"post_id": 1, "stratum": "near"}, 422),
    ):
        assert say(drawn, **told).status_code == status, told


def test_a_form_of_another_site_cannot_judge(drawn):
    body = json.dumps({"frame": "show", "post_id": 1, "answer": "yes"})
    assert drawn.post(f"{V1}/labels", content=body, headers={"Content-Type": "text/plain"}).status_code == 415


def test_quality_is_told_with_its_interval_where_frames_are_told(drawn):
    before = {f["frame"]: f["quality"] for f in drawn.get(f"{V1}/frames").json()["frames"]}
    assert before["show"]["precision"] is None
    assert before["show"]["told"] == "precision not measured yet"
    for sample in ask(drawn, limit=100)["samples"]:
        number = int(sample["text"].split()[1])
        assert say(drawn, post_id=sample["post_id"], answer="yes" if number < 9 else "no").status_code == 200
    told = {f["frame"]: f["quality"] for f in drawn.get(f"{V1}/frames").json()["frames"]}["show"]
    assert told["precision"] == pytest.approx(0.75)
    assert (told["judged"], told["judged_carrying"]) == (17, 12)
    assert told["precision_low"] == pytest.approx(0.468, abs=0.001)
    assert (told["first_week"], told["last_week"]) == ("2016-12-05", "2016-12-05")
    alone = {f["frame"]: f for f in drawn.get(f"{V1}/quality").json()["frames"]}
    assert {k: alone["show"][k] for k in told} == told
    assert alone["bread"]["precision"] is None


def test_the_running_week_is_drawn_on_demand_and_once(drawn):
    for frames in (0, 0):
        # No post in the running week: nothing to draw, and nothing is written.
        assert drawn.post(f"{V1}/samples", json={}).json() == {"frames": frames}
