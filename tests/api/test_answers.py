"""What judges answered, as the API lists it: complete pages, by every filter, and to no judge another one's answers."""

import csv
import io
from datetime import timedelta

import pytest

from services.store import labels, posts
from tests.api import seeded
from tests.api.test_tokens import Desk
from tests.api.week import seed_week

LABELS = "/api/v1/labels"
JUDGES = ("anna", "boris", "Анна")


@pytest.fixture
def desk(store):
    """A week in which three judges answered what is asked, in bursts of one instant, and picked some by hand."""
    seed_week(store)
    desk = Desk(store)
    with store.transaction() as tx:
        numbers = [r["post_id"] for r in tx.execute("select post_id from post_keys order by post_id")]
        for place, post_id in enumerate(numbers):
            for of, judge in enumerate(JUDGES):
                if (place + of) % 3:
                    about = {"frame": ("show", "bread")[place % 2], "answer": ("yes", "no", "unsure")[(place + of) % 3]}
                    at = seeded.NOW + timedelta(minutes=place // 7)
                    labels.add_label(tx, codebook="toy", post_id=post_id, judge=judge, now=at, **about)
    desk.all = desk.token("admin", name="curator")
    return desk


def ask(desk, token, **asked):
    answer = desk.client.get(LABELS, params=asked, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(desk, token, **asked):
    """Every page to the end."""
    found, cursor = [], None
    while True:
        page = ask(desk, token, **asked, **({"cursor": cursor} if cursor else {}))
        found, cursor = found + page["labels"], page["next"]
        if cursor is None:
            return found


def test_pages_are_complete_without_repeats_and_the_newest_comes_first(desk):
    whole = told(desk, desk.all, limit=500)
    assert len(whole) == 60
    assert [(r["judged_at"], r["label_id"]) for r in whole] == sorted(
        ((r["judged_at"], r["label_id"]) for r in whole), reverse=True
    )
    assert told(desk, desk.all, limit=7) == whole
    assert {r["origin"] for r in whole} == {"sample", "free"}
    assert {r["same_text"] for r in whole} == {True}
    assert {(r["source"], r["native_id"]) for r in whole} == {("jsonl", str(n)) for n in range(30)}


@pytest.mark.parametrize(
    ("field", "value"),
    [("frame", "show"), ("codebook", "toy"), ("judge", "Анна"), ("answer", "no"), ("origin", "sample"), ("post_id", 5)],
)
def test_each_filter_tells_just_those(desk, field, value):
    whole = told(desk, desk.all, limit=500)
    wanted = [r for r in whole if r[field] == value]
    assert wanted
    assert told(desk, desk.all, limit=5, **{field: value}) == wanted
    assert told(desk, desk.all, codebook="other") == []


def test_a_period_includes_its_start_and_excludes_its_end(desk):
    whole = told(desk, desk.all, limit=500)
    times = sorted({r["judged_at"] for r in whole})
    since, until = times[1], times[3]
    found = told(desk, desk.all, since=since, until=until, limit=4)
    assert found == [r for r in whole if since <= r["judged_at"] < until]
    assert {r["judged_at"] for r in found} == set(times[1:3])


def test_a_judge_is_told_nothing_of_what_others_answered(desk):
    anna = desk.token("write", name="anna")
    assert {r["judge"] for r in told(desk, anna, limit=500)} == {"anna"}
    assert told(desk, anna, judge="anna") == told(desk, anna)
    refused = desk.client.get(LABELS, params={"judge": "boris"}, headers={"Authorization": f"Bearer {anna}"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "no_access")
    assert "scope admin" in refused.json()["detail"]
    assert desk.ask(desk.token("read"), LABELS).status_code == 403
    assert {r["judge"] for r in told(desk, desk.all, limit=500)} == set(JUDGES)


def test_a_cursor_of_another_list_is_none_of_this(desk):
    stamp = {"Authorization": f"Bearer {desk.all}"}
    for other in ("posts", "alerts"):
        cursor = ask(desk, desk.all, limit=5)["next"]
        assert desk.client.get(f"/api/v1/{other}", params={"cursor": cursor}, headers=stamp).status_code == 400
    of_posts = desk.client.get(
        "/api/v1/posts", params={"limit": 5, "since": "2016-01-01T00:00:00Z"}, headers=stamp
    ).json()["next"]
    assert desk.client.get(LABELS, params={"cursor": of_posts}, headers=stamp).status_code == 400


def test_as_a_table_and_not_twice(desk):
    stamp = {"Authorization": f"Bearer {desk.all}"}
    answer = desk.client.get(LABELS, params={"limit": 10}, headers=stamp | {"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    page = ask(desk, desk.all, limit=10)
    assert [int(r["label_id"]) for r in rows] == [r["label_id"] for r in page["labels"]]
    assert list(rows[0]) == list(page["labels"][0])
    assert f"cursor={page['next']}" in answer.links["next"]["url"]
    marked = desk.client.get(LABELS, headers=stamp)
    again = {**stamp, "If-None-Match": marked.headers["etag"]}
    assert desk.client.get(LABELS, headers=again).status_code == 304


def test_an_edited_post_is_told_as_such(desk):
    with desk.store.transaction() as tx:
        number = tx.execute("select post_id from post_keys where native_id = '4'").fetchone()["post_id"]
        edited = [seeded.post("4", "something else altogether, said later", seeded.NOW)]
        assert posts.edit_posts(tx, edited, source="jsonl", received_at=seeded.NOW) == 1
    assert {r["same_text"] for r in told(desk, desk.all, post_id=number)} == {False}
    assert {r["same_text"] for r in told(desk, desk.all, post_id=number + 1)} == {True}


def test_a_label_is_taken_back_by_whose_it_is(desk):
    anna = desk.token("write", name="anna")
    mine, other = (told(desk, desk.all, judge=judge)[0]["label_id"] for judge in ("anna", "boris"))

    def take(token, label_id, **asked):
        stamp = {"Authorization": f"Bearer {token}"}
        return desk.client.delete(f"{LABELS}/{label_id}", params=asked, headers=stamp).status_code

    assert take(desk.token("read"), mine) == 403
    assert take(anna, other) == 404, "told as little as of one that is not there"
    assert [take(anna, mine), take(anna, mine)] == [204, 404]
    assert mine not in {r["label_id"] for r in told(desk, anna)}
    assert take(desk.all, other, judge="anna") == 404
    assert take(desk.all, other) == 204
    assert len(told(desk, desk.all, limit=500)) == 58


def test_an_answer_changed_keeps_its_number_and_goes_to_the_top(desk):
    oldest = told(desk, desk.all, limit=500)[-1]
    desk.now = seeded.NOW + timedelta(days=1)
    body = {k: oldest[k] for k in ("frame", "post_id", "judge")} | {"answer": "unsure"}
    kept = desk.client.post(LABELS, json=body, headers={"Authorization": f"Bearer {desk.all}"}).json()
    assert kept["label_id"] == oldest["label_id"]
    top = ask(desk, desk.all, limit=1)["labels"][0]
    assert {k: top[k] for k in kept} == kept
    assert top["judged_at"] > oldest["judged_at"]
