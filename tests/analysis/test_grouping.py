"""Which unit a post joins: bands find near copies, exact likeness decides, reposts go with their original."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.duplicates import BANDS, SHORTEST, bands, letters_of, likeness, unit_key
from services.analysis.grouping import PLACES, Grouping, Newcomer, bands_of, group

LONG = "The army has entered the old city of Palmyra, and state television shows an empty theatre among the ruins"
TEXTS = st.text(alphabet="abcdefg жщя ثق 中国", max_size=200)


def newcomer(name: str, text: str, repost_of: str = "") -> Newcomer:
    return Newcomer("x", name, unit_key(text), letters_of(text), repost_of)


def grouped(*posts: Newcomer, before: Grouping | None = None, settled: dict[str, bytes] | None = None) -> Grouping:
    return group(posts, bands_of(posts), before.made if before else {}, settled or {})


def random_text(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(120))


def test_near_copies_share_a_unit_and_others_do_not() -> None:
    told = grouped(
        newcomer("1", LONG),
        newcomer("2", f"BREAKING: {LONG}!!! https://example.org/x"),
        newcomer("3", LONG.replace("an empty", "the empty")),
        newcomer("4", "The army has left the old city of Aleppo, and no television shows what became of its people"),
    )
    assert told.units["1"] == told.units["2"] == told.units["3"] == unit_key(LONG)
    assert told.units["4"] != unit_key(LONG)


def test_a_later_page_finds_the_unit_of_an_earlier_one() -> None:
    first = grouped(newcomer("1", LONG))
    later = grouped(newcomer("2", LONG + " again"), before=first)
    assert later.units["2"] == first.units["1"]
    assert later.used
    assert later.used <= first.made.keys()


def test_texts_of_a_few_words_are_copies_only_when_equal() -> None:
    told = grouped(newcomer("1", "Palmyra has fallen again"), newcomer("2", "Palmyra has fallen again!"))
    assert told.units["1"] == told.units["2"]
    other = grouped(newcomer("1", "Palmyra has fallen again"), newcomer("3", "Palmyra has fallen again 2"))
    assert other.units["1"] != other.units["3"]
    assert not told.made


def test_a_shared_band_alone_makes_no_copy() -> None:
    one, other = newcomer("1", LONG), newcomer("2", "Nothing of this is like the other text, neither word nor letter")
    keys = dict.fromkeys(("1", "2"), bands_of([one])["1"])
    told = group([one, other], keys, {}, {})
    assert told.units["1"] != told.units["2"]
    assert {place for _, place in told.made} == {0, 1}


def test_a_band_has_so_many_places_and_no_more() -> None:
    chance = random.Random(1)
    posts = [newcomer(str(i), random_text(chance)) for i in range(PLACES + 3)]
    told = group(posts, dict.fromkeys((p.native_id for p in posts), (7,)), {}, {})
    assert len(told.made) == PLACES
    assert len(set(told.units.values())) == len(posts)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_repost_is_of_its_originals_unit_whatever_it_says(order: tuple[int, int]) -> None:
    posts = [newcomer("1", LONG), newcomer("2", "cut off after some words…", repost_of="1")]
    told = grouped(posts[order[0]], posts[order[1]])
    assert told.units["2"] == told.units["1"] == unit_key(LONG)


def test_an_original_that_comes_after_its_reposts_joins_their_unit() -> None:
    told = grouped(newcomer("1", LONG), settled={"1": b"of the first repost"})
    assert told.units["1"] == b"of the first repost"
    again = grouped(newcomer("9", LONG), before=told)
    assert again.units["9"] == b"of the first repost"


@given(st.lists(TEXTS, max_size=12))
def test_bands_do_not_depend_on_the_company(texts: list[str]) -> None:
    together = bands(texts)
    assert together == [bands([text])[0] for text in texts]
    assert [len(found) for found in together] == [BANDS * (len(text) >= SHORTEST) for text in texts]


def test_bands_are_the_same_for_ever() -> None:
    # They are stored: a change would cut every text off from its copies of the last fortnight.
    assert bands([letters_of(LONG)])[0][:2] == (-2943528939430785528, 3489978305167702555)


def test_texts_that_are_alike_share_a_band_and_others_hardly_ever() -> None:
    chance = random.Random(2)
    texts = [random_text(chance) for _ in range(300)]
    near = [text[:60] + "x" + text[61:] for text in texts]
    assert all(likeness(a, b) >= 0.9 for a, b in zip(texts, near, strict=True))
    found = list(zip(bands(texts), bands(near), strict=True))
    assert sum(bool(set(a) & set(b)) for a, b in found) >= 285
    assert sum(bool(set(a) & set(b)) for (a, _), (_, b) in itertools.pairwise(found)) == 0


@given(TEXTS, TEXTS)
def test_likeness_is_between_nothing_and_all(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1
    assert likeness(one, one) == 1


def test_units_do_not_depend_on_how_pages_are_cut() -> None:
    posts = [newcomer(str(i), f"{LONG} {'so it goes ' * (i % 3)}") for i in range(12)]
    whole = grouped(*posts).units
    made: Grouping = Grouping()
    units: dict[str, bytes] = {}
    for post in posts:
        told = grouped(replace(post), before=made)
        made.made |= told.made
        units |= told.units
    assert units == whole
