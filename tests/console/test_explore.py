"""Exploring stored posts: found by meaning, counted as voices, gaps as gaps, and honest about what cannot be done."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from schemas.errors import PermanentError
from services.analysis.alerting import Rule
from services.classifier.noop import NoopEncoder
from services.console.pages.explore import POSTS, pasted
from services.serve import create_app
from services.settings import Settings
from services.store import posts, vectors
from services.usecases import exploring
from services.usecases.exploring import Asked, explore
from tests.api import judged, seeded
from tests.console.test_pages import HERE, OURS, Page


@pytest.fixture
def numbers(store):
    found = judged.seed(store)
    more = [seeded.post(f"n{i}", f"something else {i}", seeded.NOW - timedelta(hours=i % 40)) for i in range(60)]
    with store.transaction() as tx:
        posts.insert_posts(tx, more, feed_id=1, source="rss", received_at=seeded.NOW)
    judged.run(store)
    return found


def look(store, *like, **about):
    return explore(store, lambda: nullcontext(NoopEncoder()), Asked(tuple(like), **about), rule=Rule(), wall=seeded.NOW)


def test_the_post_itself_is_the_likest(store, numbers):
    told = look(store, judged.TEXTS["show"])
    assert [s.post["post_id"] for s in told.likest][:1] == [numbers["show"]]
    assert told.looked_at == 64
    assert told.posts >= told.units >= 1
    assert {f["frame"] for f in told.frames} == {"show"}, "the frames that it carries already"
    assert sum(p.units or 0 for p in told.points) >= 1
    assert len(told.points) == 14 * 24


def test_near_misses_are_pushed_away(store, numbers):
    alone = look(store, judged.TEXTS["show"], judged.TEXTS["arabic"], strictness="loose")
    pushed = look(store, judged.TEXTS["show"], unlike=(judged.TEXTS["arabic"],), strictness="loose")
    assert numbers["arabic"] in {s.post["post_id"] for s in alone.likest}
    assert numbers["arabic"] not in {s.post["post_id"] for s in pushed.likest}


def test_more_posts_than_are_read_are_said_to_be_more(store, numbers, monkeypatch):
    monkeypatch.setattr(exploring, "MOST", 30)
    monkeypatch.setattr("services.store.vectors.PAGE", 7)
    told = look(store, judged.TEXTS["show"])
    assert (told.looked_at, told.cut_short) == (30, True)
    assert told.since > seeded.NOW - timedelta(days=2), "what was not read is not in the period"
    oldest = look(store, "something else 12")
    assert "something else 12" not in {s.post["text"] for s in oldest.likest}, "nor is an hour of which a part was read"
    assert all(s.post["published_at"] >= oldest.since for s in oldest.likest)


@pytest.mark.parametrize(("page", "most"), [(7, 100), (7, 12), (5, 3), (100, 100)])
def test_posts_that_the_model_has_not_read_are_passed_over(store, numbers, monkeypatch, page, most):
    monkeypatch.setattr(vectors, "PAGE", page)
    since, until = seeded.NOW - timedelta(days=14), seeded.NOW + timedelta(hours=1)
    with store.transaction() as tx:
        tx.execute("delete from embeddings e using posts p where p.text_hash = e.text_hash and p.post_id % 9 <> 0")
        every = tx.execute(
            "select post_id, post_id %% 9 = 0 as read from posts where published_at >= %s and published_at < %s"
            " order by published_at desc, post_id desc",
            [since, until],
        ).fetchall()
        model_id = vectors.list_models(tx)[0]["model_id"]
        pages = list(vectors.newest_vectors(tx, model_id, since, until, most=most))
    told = [r["post_id"] for rows in pages for r in rows]
    assert told == [r["post_id"] for r in every if r["read"]][:most]
    assert len(told) >= 3
    assert all(r["vector"] for rows in pages for r in rows)


def test_without_vectors_or_words_it_says_so(store):
    with pytest.raises(PermanentError, match="no stored post has a vector"):
        look(store, "anything")
    with pytest.raises(PermanentError, match="describe what to look for"):
        look(store, " \n ")


@pytest.fixture
def web(database_url, tmp_path):
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url=HERE, headers=OURS) as client:
        yield client


def test_the_page_shows_what_was_found_and_keeps_the_question(web, numbers):
    assert "What if this were a frame?" in web.get("/explore?description=abc").text
    answer = web.post("/explore", data={"description": "It is all staged", "posts": judged.TEXTS["show"], "days": "7"})
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "like this in 7 days" in page.text
    assert "Nothing was stored." in page.text
    assert "It is all staged" in page.text
    assert ("option", "selected", None) in page.attributes


@pytest.mark.parametrize(
    ("data", "status"),
    [({}, 400), ({"description": " "}, 400), ({"description": "x", "days": "-1", "strictness": "?"}, 503),
     ({"posts": "x" * 70_000}, 400), ({"description": "\x00<script>"}, 503)],
)  # fmt: skip
def test_what_cannot_be_looked_for_is_said(web, data, status):
    answer = web.post("/explore", data=data)
    assert answer.status_code == status
    assert Page(answer.text).tags.count("script") <= 3


def test_posts_are_pasted_a_line_each_or_set_apart():
    assert pasted("a\nb\n") == ("a", "b")
    assert pasted("a\nmore of a\n\n\n b ") == ("a\nmore of a", "b")
    assert len(pasted("x\n" * 500)) == POSTS
    assert pasted("") == ()
