"""What is drawn: strata that share nothing, every unit of one as likely as the other, in an order that tells nothing."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis import sampling
from services.analysis.sampling import Week


def unit(number: int, **more: float) -> dict[str, object]:
    return {"unit_key": number.to_bytes(4), "post_id": number, **more}


def week(carrying: int, uncertain: int = 0, rest: int = 50, near: int = 0) -> Week:
    """`near` of those that carry lie just above the threshold."""
    clear = [unit(n, probability=0.52 if n < near else 0.95) for n in range(carrying)]
    unsure = [unit(1000 + n) for n in range(uncertain)]
    others = [unit(2000 + n) for n in range(rest)]
    return Week(clear, unsure, [*others, *clear, *unsure], carrying + uncertain + rest)


def strata(found: sampling.Draw) -> Counter[str]:
    return Counter(d.stratum for d in found.drawn)


def test_half_near_the_threshold_half_of_the_others_and_a_few_of_the_rest() -> None:
    found = sampling.draw(week(100, 15, near=30), "seed")
    assert strata(found) == {"near": 10, "carried": 10, "rest": 5}
    assert found.sizes == {"near": 45, "carried": 70, "rest": 50}
    assert {d.stratum: round(d.inclusion, 4) for d in found.drawn} == {"near": 0.2222, "carried": 0.1429, "rest": 0.1}


def test_what_one_stratum_lacks_the_other_takes() -> None:
    # Where all carry it about as surely, all of them are near the lowest.
    assert strata(sampling.draw(week(40, 0), "s")) == {"near": 20, "rest": 5}
    assert strata(sampling.draw(week(40, 2, near=1), "s")) == {"near": 3, "carried": 17, "rest": 5}
    assert strata(sampling.draw(week(2, 30, near=1), "s")) == {"near": 19, "carried": 1, "rest": 5}


def test_nothing_to_draw_draws_nothing() -> None:
    assert sampling.draw(Week((), (), (), 0), "s").drawn == ()
    assert strata(sampling.draw(week(0), "s")) == {"rest": 5}
    assert strata(sampling.draw(week(3, 0, rest=0), "s")) == {"near": 3}


@settings(deadline=None)
@given(
    st.integers(0, 60), st.integers(0, 40), st.integers(0, 60), st.integers(0, 60), st.text(max_size=5), st.randoms()
)
def test_a_draw_is_always_whole(carrying: int, unsure: int, rest: int, near: int, seed: str, random: object) -> None:
    given = week(carrying, unsure, rest, min(near, carrying))
    found = sampling.draw(given, seed)
    assert len({d.unit_key for d in found.drawn}) == len(found.drawn)
    assert sorted(d.place for d in found.drawn) == list(range(len(found.drawn)))
    assert all(0 < d.inclusion <= 1 for d in found.drawn)
    assert sum(found.sizes.values()) == given.units
    shuffled = [list(rows) for rows in (given.carrying, given.uncertain)]
    for rows in shuffled:
        random.shuffle(rows)  # type: ignore[attr-defined]
    assert sampling.draw(Week(shuffled[0], shuffled[1], given.shuffled, given.units), seed) == found


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_every_unit_of_a_stratum_is_as_likely(start: int) -> None:
    given = week(40, 0, near=20)
    drawn: Counter[int] = Counter()
    for seed in range(300):
        drawn.update(d.post_id for d in sampling.draw(given, f"{start + seed}").drawn if d.stratum != "rest")
    # Half of each twenty: 150 expected, standard deviation 8.7.
    assert all(105 < drawn[n] < 195 for n in range(40))


def test_any_ten_hold_each_stratum_about_in_proportion() -> None:
    for seed in range(50):
        found = sampling.draw(week(100, 15, near=30), f"{seed}")
        first = Counter(d.stratum for d in found.drawn[:10])
        assert 3 <= first["near"] <= 5
        assert 3 <= first["carried"] <= 5
        assert 1 <= first["rest"] <= 3
