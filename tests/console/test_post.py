"""The page of a post: marked words, nearest examples, everything escaped, and what cannot be told is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from schemas.wire_why import Word
from services.analysis.spans import words
from services.channels.wording import percent
from services.console.marks import marked, strength
from services.serve import create_app
from services.settings import Settings
from services.store import listings, readings
from services.store.pool import Store
from services.usecases.thresholds import carried_from
from tests.api import judged, seeded
from tests.console.test_pages import Page


@pytest.fixture
def numbers(store):
    return judged.seed(store)


@pytest.fixture
def web(database_url, tmp_path):
    conf = Settings(database_url=database_url, model="noop", home=str(tmp_path))
    with TestClient(create_app(conf), base_url="http://127.0.0.1:8787") as client:
        yield client


def read(web, path):
    answer = web.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def test_a_post_shows_its_frames_its_words_and_what_lies_nearest(web, numbers):
    quick = read(web, f"/posts/{numbers['show']}")
    assert "Which words carried it?" in quick.text, "the page does not wait for the encoder"
    assert "Nearest examples" in quick.text
    page = read(web, next(v for _, name, v in quick.attributes if name == "data-later"))
    for said in ("A show: carries", "Nearest examples", "Nearest that speak against it", "· meaning",
                 "Probability without it", "Model noop@1", "Codebook small v1"):  # fmt: skip
        assert said in page.text
    strengths = {v for tag, name, v in page.attributes if (tag, name) == ("mark", "class")}
    assert strengths <= {f"{side}-{n}" for side in ("for", "against") for n in (1, 2, 3)}
    assert page.tags.count("mark") > 2, "more than the legend's two"
    assert ("blockquote", "class", "marked") in page.attributes
    assert page.attributes.count(("blockquote", "dir", "auto")) >= 4


def test_more_like_a_post_is_one_link_away_and_no_text_is_markup(web, numbers):
    onward = f"/posts/{numbers['show']}/alike"
    assert ("a", "href", onward) in read(web, f"/posts/{numbers['show']}").attributes
    page = read(web, onward)
    assert "More like this one" in page.text
    assert page.text.count("likeness") == 3
    assert page.tags.count("script") == 1
    explored = next(v for _, name, v in page.attributes if name == "href" and v.startswith("/explore?"))
    assert read(web, explored).tags.count("textarea") >= 2
    assert read(web, f"{onward}?days=nonsense").tags.count("h1") == 1
    assert web.get("/posts/999999/alike").status_code == web.get("/posts/x/alike").status_code == 404


def test_another_frame_is_one_link_away(web, numbers):
    page = read(web, f"/posts/{numbers['arabic']}")
    link = next(v for _, name, v in page.attributes if name == "href" and "frame=other" in v)
    assert "Something else: " in read(web, link).text


def test_hostile_text_and_a_hostile_codebook_are_text(web, numbers):
    page = read(web, f"/posts/{numbers['hostile']}?frame=show&words=1")
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert "<img src=y>" in page.text
    assert "60481729" not in page.text
    assert not [a for a in page.attributes if a[1] == "style" or a[1].startswith("on")]


def test_what_cannot_be_explained_is_shown_with_the_reason(web, numbers, palmyra):
    page = read(web, f"/posts/{numbers['show']}?frame=nope")
    assert "there is no frame nope" in page.text
    assert judged.TEXTS["show"] in page.text
    store = Store(palmyra, size=1)
    with store.transaction() as tx:
        post = listings.read_posts(tx, seeded.NOW, frame="staged-theatrics", limit=1).posts[0]
    store.close()
    with TestClient(create_app(Settings(database_url=palmyra)), base_url="http://127.0.0.1:8787") as other:
        assert "Why?" in read(other, f"/posts/{post.post_id}").text
        page = read(other, f"/posts/{post.post_id}?words=1")
    assert "cannot be explained now" in page.text
    assert "Apply the codebook again." in page.text
    assert "staged-theatrics (probability 90%)" in page.text


def test_lists_lead_to_the_page_of_a_post(web, numbers):
    page = read(web, "/frames/small/show")
    link = f"/posts/{numbers['show']}?frame=show&codebook=small"
    assert ("a", "href", link) in page.attributes
    assert "A show: carries" in read(web, link).text
    assert not [v for _, name, v in read(web, link).attributes if name == "href" and v == link and "why" in v]


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "9" * 5000, "%00", "١", "-1", "99999999"])
def test_a_post_that_is_not_there(web, number):
    assert web.get(f"/posts/{number}").status_code == 404


def word(span, text, change):
    return Word(start=span[0], end=span[1], text=text[slice(*span)], change=change, without=0.5)


@given(st.text(max_size=60), st.data())
def test_pieces_are_the_whole_text_and_each_word_is_marked(text, data):
    spans = words(text, len(text))
    spans = data.draw(st.lists(st.sampled_from(spans), unique=True)) if spans else []
    told = [word(span, text, 1.5) for span in spans]
    cut = marked(text, told)
    assert "".join(piece.text for piece in cut) == text
    assert [p.word for p in cut if p.word] == sorted(told, key=lambda w: w.start)


@pytest.mark.parametrize(
    ("change", "said"), [(0.6, "for-1"), (1.0, "for-2"), (5, "for-3"), (-0.6, "against-1"), (-2.5, "against-3")]
)
def test_the_strength_of_a_mark(change, said):
    assert strength(word((0, 1), "a", change)) == said


def test_every_probability_says_what_it_is_and_where_counting_begins(web, store, numbers):
    with store.transaction() as tx:
        row = readings.current_frame(tx, "show")
        from_on = carried_from(tx, row["version_id"])["show"]
    for path in (f"/frames/{row['codebook']}/show", "/posts?frame=show"):
        page = read(web, path)
        assert f"from {percent(from_on)} up" in page.text, path
        assert "probability" in page.text.lower()
        assert " sure" not in page.text
