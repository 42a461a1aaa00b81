"""Grouping, ranking, continuing, terms and drafts of suggestions: pure, so mostly by property."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import codebook as files
from services.analysis import clustering, continuing, drafting, editing, ranking, remembering, terms

UNTIL = datetime(2016, 12, 15, tzinfo=UTC)
STREAM = np.full(ranking.DAYS, 100.0)


# --- grouping


def planted(stories: int, each: int, noise: int, langs: int = 3) -> tuple[np.ndarray, list[str], np.ndarray]:
    """(vectors, langs, story of each or -1): every language lies somewhere else, as with real encoders."""
    rng = np.random.default_rng(stories)
    truth = np.repeat(np.append(np.arange(stories), -1), [*[each] * stories, noise])
    middles = rng.normal(size=(stories + 1, 128)) * 1.2
    vectors = (
        middles[truth] * (truth >= 0)[:, None]
        + rng.normal(size=(len(truth), 128)) * np.where(truth < 0, 1, 0.5)[:, None]
    )
    lang = np.arange(len(truth)) % langs
    return vectors + 3 * rng.normal(size=(langs, 128))[lang], [("en", "ru", "ar")[i] for i in lang], truth


def grouped(vectors: np.ndarray, langs: list[str]) -> np.ndarray:
    return clustering.cluster(clustering.centred(vectors, langs))


def test_stories_are_found_in_all_languages_together_and_noise_is_left_out() -> None:
    vectors, langs, truth = planted(4, 24, 300)
    points = clustering.centred(vectors, langs)
    groups = clustering.cluster(points)
    coherent = clustering.coherence(points, groups)
    for story in range(4):
        found = np.unique(groups[truth == story], return_counts=True)
        best = found[0][found[1].argmax()]
        assert best >= 0
        assert (groups[truth == story] == best).mean() > 0.8
        assert (truth[groups == best] == story).mean() > 0.95
        assert len({langs[i] for i in np.flatnonzero(groups == best)}) == 3
        assert coherent[best] > 0.5
    assert (groups[truth < 0] < 0).mean() > 0.4
    noisy = [g for g in range(groups.max() + 1) if (truth[groups == g] < 0).mean() > 0.5]
    assert max((coherent[g] for g in noisy), default=0) < min(
        coherent[g] for g in set(groups[truth >= 0]) - {-1, *noisy}
    )


def test_many_texts_are_grouped_cell_by_cell_and_always_the_same() -> None:
    vectors, langs, truth = planted(8, 40, 3400)
    assert len(truth) > clustering.CELL * (clustering.PROBED + 1)
    groups = grouped(vectors, langs)
    assert (groups == grouped(vectors, langs)).all()
    for story in range(8):
        names, counts = np.unique(groups[truth == story], return_counts=True)
        best = names[counts.argmax()]
        assert best >= 0
        assert counts.max() > 30
        assert (truth[groups == best] == story).mean() > 0.7


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 17])
def test_few_texts_are_grouped_or_not_without_a_fuss(count: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 16))
    groups = grouped(vectors, ["en"] * count)
    assert len(groups) == count
    assert clustering.coherence(vectors.astype(np.float32), groups).shape == (groups.max(initial=-1) + 1,)


def test_equal_texts_in_any_number_are_a_group() -> None:
    vectors = np.vstack([np.ones((40, 16)), np.random.default_rng(0).normal(size=(200, 16))])
    groups = grouped(vectors, ["en"] * 240)
    assert len(set(groups[:40].tolist())) == 1
    assert groups[0] >= 0


def test_near_misses_lie_outside_and_other_stories_come_first() -> None:
    vectors, langs, _ = planted(3, 20, 100)
    points = clustering.centred(vectors, langs)
    groups = clustering.cluster(points)
    group = int(np.bincount(groups[groups >= 0]).argmax())
    around = clustering.around(points, groups, clustering.middles(points, groups)[group], group, (10, 6))
    assert len(around.inside) == 10
    assert (groups[around.inside] == group).all()
    assert (groups[around.near] != group).all()
    assert groups[around.near[0]] >= 0
    assert (np.diff(around.likeness[:10]) <= 0).all()


# --- continuing

UNITS = st.frozensets(st.integers(0, 30).map(lambda n: bytes([n])), max_size=12)
VECTOR = st.sampled_from(tuple(np.eye(6, dtype=np.float32)))
GROUP = st.builds(continuing.Group, UNITS, VECTOR)
DISJOINT = st.lists(GROUP, max_size=6)


@given(DISJOINT, st.dictionaries(st.integers(1, 50), GROUP, max_size=6))
def test_no_id_is_given_twice_and_nobody_is_two_things(today, known) -> None:
    kin = continuing.continue_groups(today, known)
    assert len(set(kin.same.values())) == len(kin.same)
    assert set(kin.same.values()) <= known.keys()
    assert not kin.same.keys() & kin.split.keys()
    assert not set(kin.same.values()) & kin.merged.keys()
    for g, number in kin.split.items():
        assert len(today[g].units & known[number].units) >= 0.5 * len(today[g].units)
    for number, g in kin.merged.items():
        assert len(today[g].units & known[number].units) >= 0.5 * len(known[number].units)


def apart(count: int) -> list[continuing.Group]:
    middles = np.eye(count, dtype=np.float32)
    return [continuing.Group(frozenset(bytes([i, n]) for n in range(10)), middles[i]) for i in range(count)]


@given(st.permutations(range(6)))
def test_unchanged_groups_keep_their_ids_in_whatever_order(order) -> None:
    groups = apart(6)
    kin = continuing.continue_groups([groups[i] for i in order], {10 + i: g for i, g in enumerate(groups)})
    assert kin.same == {place: 10 + i for place, i in enumerate(order)}


@given(st.integers(1, 9))
def test_of_a_split_the_larger_part_goes_on(cut: int) -> None:
    (before,) = apart(1)
    units = sorted(before.units)
    parts = [continuing.Group(frozenset(u), before.middle) for u in (units[:cut], units[cut:])]
    kin = continuing.continue_groups(parts, {7: before})
    larger = 0 if cut > 5 else 1
    if cut != 5:
        assert kin.same == {larger: 7}
        assert kin.split == {1 - larger: 7}


@given(st.integers(1, 9))
def test_of_a_merger_the_larger_goes_on_and_the_other_is_remembered(cut: int) -> None:
    (now,) = apart(1)
    units = sorted(now.units)
    known = {
        1: continuing.Group(frozenset(units[:cut]), now.middle),
        2: continuing.Group(frozenset(units[cut:]), now.middle),
    }
    kin = continuing.continue_groups([now], known)
    if cut != 5:
        larger = 1 if cut > 5 else 2
        assert kin.same == {0: larger}
        assert kin.merged == {3 - larger: 0}


def test_groups_alike_go_on_without_a_common_unit_and_strangers_do_not() -> None:
    one, other = apart(2)
    later = continuing.Group(frozenset([b"new"]), one.middle)
    assert continuing.continue_groups([later], {3: one}).same == {0: 3}
    assert continuing.continue_groups([later], {3: other}).same == {}
    unknown = continuing.Group(one.units, np.zeros(0, np.float32))
    assert continuing.continue_groups([one], {3: unknown}).same == {0: 3}, "another model's middle is not compared"


# --- remembering


@given(st.integers(1, 1000), st.integers(1, 10_000))
def test_dismissed_comes_back_only_threefold(then: int, now: int) -> None:
    state = remembering.next_state({"state": "dismissed", "decided_units": then}, now)
    assert state == ("open" if now >= 3 * then else "dismissed")


@pytest.mark.parametrize(("before", "after"), [("open", "open"), ("faded", "open"), ("adopted", "adopted")])
def test_what_was_said_holds(before: str, after: str) -> None:
    assert remembering.next_state({"state": before, "decided_units": 1}, 100) == after


# --- ranking

POST = st.builds(
    ranking.Post, st.integers(0, 20), st.floats(0, 13.9).map(lambda d: (UNTIL - timedelta(days=d)).timestamp()),
    st.sampled_from(["a", "b", "c", "d", ""]), st.sampled_from([(), ("x.org",), ("x.org", "y.org")]), st.just("en"),
)  # fmt: skip
POSTS = st.lists(POST, min_size=1, max_size=40)


@given(POSTS)
def test_every_part_and_the_score_lie_between_0_and_1(posts) -> None:
    found = ranking.standing(posts, STREAM, UNTIL, 0.5)
    assert all(0 <= value <= 1 for value in found.parts.rounded().values())
    assert 0 <= found.parts.score <= 1
    assert found.units <= found.posts
    assert found.units == sum(found.langs.values())
    assert sum(posts for posts, _ in found.days) == found.posts


@given(POSTS)
def test_saying_it_again_counts_for_nothing(posts) -> None:
    posts = sorted(posts, key=lambda p: p.at)
    once = ranking.standing(posts, STREAM, UNTIL, 0.5)
    twice = ranking.standing(sorted([*posts, *posts], key=lambda p: p.at), STREAM, UNTIL, 0.5)
    assert twice.parts == once.parts
    assert twice.posts == 2 * once.posts


def said(count: int, days_ago: float, voice: str = "", publishers: tuple[str, ...] = ()) -> list[ranking.Post]:
    at = (UNTIL - timedelta(days=days_ago)).timestamp()
    return [
        ranking.Post(int(1000 * days_ago) + i, at, voice or f"author {days_ago} {i}", publishers, "en")
        for i in range(count)
    ]


def score(posts: list[ranking.Post]) -> float:
    return ranking.standing(posts, STREAM, UNTIL, 0.5).parts.score


def test_a_machine_ranks_last_however_much_it_says() -> None:
    people, machine = said(10, 0.5), said(300, 0.5, voice="machine")
    one_site = said(60, 0.5, publishers=("x.org",))
    assert score(machine) == 0
    assert score(one_site) < 0.5 * score(said(60, 0.5, publishers=()))
    assert score(one_site) < score(people)


def test_what_grows_ranks_before_what_was_always_there() -> None:
    ever = [p for day in range(14) for p in said(3, day + 0.5)]
    new = said(42, 0.5)
    assert ranking.standing(ever, STREAM, UNTIL, 0.5).parts.growth < 0.05
    assert ranking.standing(new, STREAM, UNTIL, 0.5).parts.growth > 0.8
    assert score(new) > 2 * score(ever)


def test_growing_with_the_whole_stream_is_no_growth() -> None:
    stream = np.append(np.full(13, 10.0), 400.0)
    grows = [p for day in range(13) for p in said(1, day + 1.5)] + said(40, 0.5)
    assert ranking.standing(grows, stream, UNTIL, 0.5).parts.growth < 0.15
    assert ranking.growth(np.append(np.zeros(13), 9.0), np.append(np.zeros(13), 90.0)) == 0, "no past, nothing known"


# --- terms and drafts

TEXTS = st.lists(st.tuples(st.sampled_from(["en", "ru", "ar", "und"]), st.text(max_size=80)), max_size=12)


@given(TEXTS, TEXTS)
def test_terms_of_anything_are_words_of_two_texts_or_more(inside, outside) -> None:
    for term in terms.terms(inside, outside):
        assert term.weight > 0
        assert all(len(word) >= 3 for word in term.term.split())
        stems = [terms._stem(word) for word in term.term.split()]
        holders = [
            t for lang, t in inside if lang == term.lang and set(stems) <= {terms._stem(w) for w in terms.words(t)}
        ]
        assert len(holders) >= terms.FEWEST_TEXTS


def test_terms_set_apart_and_need_no_list_of_stop_words() -> None:
    rng = np.random.default_rng(0)
    filler = ["the", "and", "with", "was", "for", "from"]
    other = [f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(400)]

    def text(*own: str) -> str:
        return " ".join([*rng.choice(filler, 4), *rng.choice(other, 3), *own])

    inside = [("en", text("museum", "crates")) for _ in range(20)]
    found = terms.terms(inside, [("en", text()) for _ in range(500)])
    assert {w for t in found for w in t.term.split()} == {"museum", "crates"}


def test_terms_join_the_endings_of_a_word_and_keep_scripts_apart() -> None:
    ours = [("ru", f"{odd} {w} {odd}") for w, odd in (("музея", "снова"), ("музеями", "вчера"), ("музея", "снег"))]
    ours += [("ar", f"{odd} {w} {odd}") for w, odd in (("المتحف", "بارد"), ("والمتحف", "اليوم"), ("بالمتحف", "جدا"))]
    theirs = [("ru", "снова идёт снег вчера"), ("ar", "الجو بارد اليوم جدا")] * 20
    told = {(t.lang, w) for t in terms.terms(ours, theirs) for w in t.term.split()}
    assert any(lang == "ru" and w.startswith("музе") for lang, w in told)
    assert any(lang == "ar" and w.endswith("متحف") for lang, w in told)


ROWS = st.lists(
    st.fixed_dictionaries({"lang": st.sampled_from(["en", "ru", "und", "x", "zh-Hant"]), "text": st.text(max_size=60)}),
    max_size=20,
)
TERMS = st.lists(
    st.fixed_dictionaries({
        "term": st.text(st.characters(codec="utf-8", categories=["Ll"]), min_size=3, max_size=9),
        "lang": st.sampled_from(["en", "ru"]), "weight": st.floats(0, 20),
    }), max_size=8,
)  # fmt: skip
BOOK = """codebook: test
title: A test
frames:
  - {id: taken, title: Taken, description: It is., examples: [an example]}
"""


@given(TERMS, ROWS, ROWS)
@example([{"term": "taken", "lang": "en", "weight": 9.0}], [{"lang": "en", "text": "a text about it"}], [])
@settings(max_examples=60)
def test_a_draft_is_a_frame_that_a_codebook_takes(terms_, posts, near) -> None:
    draft = drafting.draft(12, terms_, posts, near, {"taken"})
    if draft is None:
        assert not any(any(c.isalnum() for c in drafting.readable(p["text"])) for p in posts)
        return
    assert draft.id != "taken"
    assert len(draft.examples) <= 8
    assert len(draft.counterexamples) <= 4
    assert not set(draft.examples) & set(draft.counterexamples)
    clean = draft.model_copy(update={k: tuple(t.replace("\x85", "") for t in getattr(draft, k)) for k in ()})
    assert files.parse(editing.add_frame(BOOK, clean)).frames[-1].id == draft.id


def test_a_draft_takes_languages_in_turn_and_no_copies() -> None:
    posts = [
        {"lang": "en", "text": f"The crates are missing from the store of the museum {w}"} for w in ("again", "now")
    ]
    posts += [{"lang": "en", "text": f"{w * 3} nobody knows where they went {w}"} for w in ("amber", "birch", "cedar")]
    posts += [{"lang": "ru", "text": "Пропали ящики из хранилища музея https://example.org/x @somebody"}]
    draft = drafting.draft(1, [], posts, [])
    assert draft
    assert len(draft.examples) == 5
    assert draft.examples[1] == "Пропали ящики из хранилища музея @user"
    assert draft.languages == ("en", "ru")


def test_a_title_is_made_of_strong_terms_or_of_a_post() -> None:
    strong = [{"term": t, "lang": "en", "weight": 5.0} for t in ("missing crates", "museum")]
    assert drafting.title(1, strong, "a post") == "Missing crates, museum"
    assert drafting.title(1, strong[:1], "so where are the crates? https://example.org") == "So where are the crates?"
    assert drafting.title(1, [], "") == "Suggestion 1"
