"""The codebook's page: mistakes by line, a preview that stores nothing, applying, going back, and saving what was explored."""

import html
import re

import pytest
from starlette.testclient import TestClient

from schemas.wire_codebooks import RedrawnPoint
from services.console import redrawn
from services.console.pages import codebooks as pages
from services.console.pages.explore import slug
from services.serve import create_app
from services.settings import Settings
from services.store import codebooks
from tests.api import judged, seeded
from tests.console.test_pages import HERE, OURS, Page

CHANGED = judged.BOOK.replace("title: A show", "title: A spectacle").replace(", another theatre", "")


@pytest.fixture
def web(database_url, store, tmp_path):
    judged.seed(store)
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url=HERE, headers=OURS, follow_redirects=False) as client:
        yield client


def versions(store):
    with store.transaction() as tx:
        return {v["version"]: v["state"] for v in codebooks.list_codebooks(tx)}


def written(page):
    """What stands in the editor."""
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)[1])


def test_the_current_text_stands_in_the_editor(web):
    page = web.get("/codebook").text
    assert written(page).strip() == judged.BOOK.strip()
    assert "<img src=y>" not in page, "posts of a codebook are text too"
    assert written(web.get("/codebook?codebook=nope&version=x").text).strip() == judged.BOOK.strip()


def test_mistakes_are_named_with_their_lines(web, store):
    wrong = judged.BOOK.replace("id: show", "id: Show Me").replace("threshold: 0.5\n", "threshold: 7\n")
    for path in ("/codebook/preview", "/codebook/apply"):
        answer = web.post(path, data={"text": wrong})
        page = Page(answer.text)
        assert answer.status_code == 400
        assert "This cannot be used yet" in page.text
        line = str(1 + wrong.splitlines().index(next(x for x in wrong.splitlines() if "Show Me" in x)))
        assert ("button", "data-line", line) in page.attributes
        assert written(answer.text).strip() == wrong.strip(), "what was typed is not lost"
    assert versions(store) == {1: "current"}


@pytest.mark.parametrize(
    "text", ["", "\x00", "[", "{{ 7777*7777 }}", "a: &a [*a]", "!!python/object:os.system x", "x" * 9000]
)
def test_whatever_is_typed_is_answered(web, store, text):
    answer = web.post("/codebook/preview", data={"text": text})
    assert answer.status_code == 400
    assert "60481729" not in Page(answer.text).text
    assert versions(store) == {1: "current"}


def test_a_preview_stores_nothing(web, store):
    answer = web.post("/codebook/preview", data={"text": CHANGED})
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "would change" in page.text
    assert "against small v1" in page.text
    assert "Nothing was stored." in page.text
    assert written(answer.text).strip() == CHANGED.strip()
    assert versions(store) == {1: "current"}


def test_a_text_is_applied_and_an_old_version_brought_back(web, store):
    answer = web.post("/codebook/apply", data={"text": CHANGED})
    assert answer.headers["location"] in (
        "/codebook?codebook=small&done=building",
        "/codebook?codebook=small&done=applied",
    )
    assert set(versions(store)) == {1, 2}
    page = Page(web.get(answer.headers["location"]).text)
    assert "small to v2" in page.text, "the audit says who changed what"
    assert "console" in page.text
    back = web.post("/codebook/rollback", data={"codebook": "small", "version": "1"})
    assert back.status_code == 303
    for data, status in (({"codebook": "small", "version": "99"}, 404), ({"version": "x"}, 400), ({}, 400)):
        assert web.post("/codebook/rollback", data=data).status_code == status


def test_what_was_explored_goes_to_the_editor_as_a_frame(web, store):
    about = {"codebook": "small", "title": "A new <b> frame", "description": "What it says", "posts": "one post\ntwo posts",
             "unlike": "a near miss", "example-7": "a ticked post"}  # fmt: skip
    answer = web.post("/explore/save", data=about)
    text = written(answer.text)
    assert answer.status_code == 200
    for said in ("id: a-new-b-frame", "one post", "two posts", "a ticked post", "a near miss"):
        assert said in text
    assert "It has 3 examples" in answer.text
    assert "id: show" in text, "the frames there were stay"
    assert versions(store) == {1: "current"}
    assert web.post("/codebook/preview", data={"text": text}).status_code == 200
    for lacking in ({**about, "title": ""}, {**about, "description": " "}, {**about, "posts": "", "example-7": ""}):
        assert web.post("/explore/save", data=lacking).status_code == 400
    assert web.post("/explore/save", data={**about, "codebook": "nope"}).status_code == 404
    taken = web.post("/explore/save", data={**about, "title": "show"})
    assert taken.status_code == 400


def test_without_a_codebook_there_is_one_to_begin_with(database_url, tmp_path):
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url=HERE, headers=OURS, follow_redirects=False) as client:
        page = client.get("/codebook").text
        assert "A codebook to begin with" in page
        assert client.post("/codebook/apply", data={"text": written(page)}).status_code == 303


def test_an_id_is_made_of_a_title():
    assert slug("Staged  Théâtre, 2016!") == "staged-theatre-2016"
    assert slug("Постановка").startswith("frame-")
    assert slug("Постановка") != slug("مسرحية")


def test_mistakes_of_any_form_are_told():
    told = pages.mistakes(ValueError("codebook:12: frame x: too short\ncodebook: frame y: no rule\nsomething else"))
    assert [(m.line, m.told) for m in told] == [
        (12, "frame x: too short"), (None, "frame y: no rule"), (None, "something else")
    ]  # fmt: skip


def test_a_redrawn_trend_has_both_and_days_without_posts():
    def day(i, before, after):
        at = seeded.NOW.replace(hour=0, minute=0, second=0) + i * redrawn.DAY
        return RedrawnPoint(at=at, posts_before=before, posts_after=after, units_before=before, units_after=after)

    drawn = redrawn.draw([day(0, 2, 0), day(3, 1, 4)])
    assert drawn.before.count("V") == 4, "a step a day, also those without posts"
    assert drawn.after.count("M") == 1
    assert drawn.top == 4
    assert "3 in all now, 4 then" in drawn.summary
    assert redrawn.draw([]) is None
