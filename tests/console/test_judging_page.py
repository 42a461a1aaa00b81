"""The judge page: blind, one answer a post and name, taken back when it slipped."""

import re

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from tests.api import judged
from tests.console.test_pages import HERE, OURS, Page


@pytest.fixture
def web(database_url, store, tmp_path):
    judged.seed(store)
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url=HERE, headers=OURS, follow_redirects=False) as client:
        yield client


def labels(store):
    with store.transaction() as tx:
        return [(r["judge"], r["answer"], r["origin"]) for r in tx.execute("select * from labels order by judged_at")]


def hidden(html):
    """What the form of the answers sends along; nothing when there is none."""
    form = html.partition('class="answers-row"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(codebook|frame|post)" value="([^"]*)"', form))


def test_a_sample_is_drawn_judged_and_taken_back(web, store):
    assert "Nothing is drawn yet" in web.get("/judge").text
    assert web.post("/judge/draw").headers["location"] == "/judge?done=drawn"
    assert web.post("/judge/draw").headers["location"] == "/judge?done=drawn-before"
    page = web.get("/judge").text
    asked = hidden(page)
    assert "Does this post carry the frame?" in page
    assert "%" not in page.split('class="judging"')[1].split("</section>")[0], "blind: no score is told"
    answer = web.post("/judge", data={**asked, "answer": "yes"})
    assert answer.status_code == 303
    assert labels(store) == [("console", "yes", "sample")]
    onward = web.get(answer.headers["location"]).text
    assert f'value="{asked["post"]}"' in onward, "the last answer can be taken back"
    web.post("/judge", data={**asked, "answer": "no"})
    assert labels(store) == [("console", "no", "sample")], "one answer a judge"
    web.post("/judge", data={**asked, "answer": "undo"})
    assert labels(store) == []


def test_each_browser_judges_under_its_own_name(web, store):
    web.post("/judge/draw")
    asked = hidden(web.get("/judge").text)
    named = web.post("/judge/name", data={"name": "Анна <b>"})
    assert "HttpOnly" in named.headers["set-cookie"]
    page = web.get("/judge").text
    assert "Анна &lt;b&gt;" in page
    web.post("/judge", data={**asked, "answer": "unsure"})
    assert labels(store) == [("Анна <b>", "unsure", "sample")]


def test_all_judged_shows_how_good_the_frames_are(web, store):
    web.post("/judge/draw")
    for _ in range(30):
        asked = hidden(web.get("/judge").text)
        if not asked:
            break
        web.post("/judge", data={**asked, "answer": "yes"})
    page = Page(web.get("/judge").text)
    assert "All is judged" in page.text
    assert "How good the frames are" in page.text


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/judge", {}, 400),
        ("/judge", {"post": "1", "frame": "show", "answer": "maybe"}, 400),
        ("/judge", {"post": "1", "frame": "nope", "answer": "yes"}, 404),
        ("/judge", {"post": "99999", "frame": "show", "answer": "yes"}, 404),
        ("/judge", {"post": "9" * 19, "frame": "show", "answer": "yes"}, 400),
        ("/judge/name", {"name": ""}, 400),
        ("/judge/name", {"name": "a\nb"}, 400),
        ("/judge/name", {"name": "x" * 61}, 400),
    ],
)
def test_what_is_no_answer_is_refused(web, store, path, data, status):
    assert web.post(path, data=data).status_code == status
    assert labels(store) == []


@pytest.mark.parametrize("cookie", ["%FF", "%00", "x" * 3000, "a%0Ab", ""])
def test_a_forged_name_is_nobody(web, cookie):
    assert web.get("/judge", headers={"Cookie": f"framewatch-judge={cookie}"}).status_code == 200
