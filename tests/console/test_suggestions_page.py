"""Suggestions in the console: seen with their posts, adopted into the editor, dismissed, and undecided again."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from services.store import feeds, suggestions
from tests.api import seeded
from tests.console.test_codebook_page import written
from tests.console.test_pages import HERE, OURS, TOKEN, Page
from tests.console.watching import add_suggestion

HOSTILE = "<script>alert(1)</script> {{ 7777*7777 }}"


@pytest.fixture
def web(database_url, store):
    with TestClient(create_app(Settings(database_url=database_url)), base_url=HERE, headers=OURS) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def number(store):
    seeded.add_codebook(store)
    texts = [f"crates are missing from the museum store {i}" for i in range(9)]
    with store.transaction() as tx:
        feeds.add_feed(tx, source="rss", address="a", title="", now=seeded.NOW, interval_s=60)
    at = seeded.NOW - timedelta(hours=5)
    told = [(seeded.post(f"m{i}", text, at, author=f"a{i}"), []) for i, text in enumerate([*texts, HOSTILE])]
    seeded.add_posts(store, 1, told, source="rss")
    return add_suggestion(store, seeded.NOW)


def state(store, number):
    with store.transaction() as tx:
        return suggestions.read_suggestion(tx, number)["state"]


def test_a_suggestion_is_listed_and_read(web, number):
    page = Page(web.get("/suggestions").text)
    assert "1 group of posts that no frame covers" in page.text
    assert "museum" in page.text
    one = Page(web.get(f"/suggestions/{number}").text)
    assert "Why it is suggested" in one.text
    assert "The frame it could become" in one.text
    assert "<script>alert(1)</script>" in one.text, "shown as it was written"
    assert one.tags.count("script") == 1
    assert "60481729" not in one.text


def test_adopting_puts_a_frame_into_the_editor_and_applies_nothing(web, store, number):
    answer = web.post(f"/suggestions/{number}/adopt", data={"title": "Missing objects"})
    assert answer.status_code == 200
    assert 'title: "Missing objects"' in written(answer.text)
    assert state(store, number) == "adopted"
    with store.transaction() as tx:
        assert tx.execute("select count(*) as n from codebooks").fetchone()["n"] == 1
    assert web.post(f"/suggestions/{number}/reopen").status_code == 303
    assert state(store, number) == "open"


def test_dismissing_takes_it_off_the_list(web, store, number):
    assert web.post(f"/suggestions/{number}/dismiss").headers["location"] == "/suggestions?done=dismissed"
    assert state(store, number) == "dismissed"
    assert "Nothing new stands out" in web.get("/suggestions").text
    assert "museum" in web.get("/suggestions?state=dismissed").text
    assert web.get("/suggestions?state=x").status_code == 200


@pytest.mark.parametrize("path", ["/suggestions/999", "/suggestions/x", "/suggestions/١", "/suggestions/%00"])
def test_what_is_not_there_is_not_found(web, number, path):
    assert web.get(path).status_code == 404
    assert web.post(f"{path}/dismiss").status_code == 404


def test_what_is_no_decision_is_refused(web, store, number):
    assert web.post(f"/suggestions/{number}/burn").status_code == 404
    assert web.post(f"/suggestions/{number}/dismiss", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert state(store, number) == "open"


def test_grouping_can_be_asked_for(web, store, number):
    assert web.post("/suggestions/run").headers["location"] == "/suggestions?done=asked"


def test_before_anything_was_grouped_the_page_says_so(web):
    assert "Nothing new stands out" in web.get("/suggestions").text
    assert TOKEN not in web.get("/suggestions").text
