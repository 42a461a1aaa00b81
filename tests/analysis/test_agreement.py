"""Agreement as the books print it, and as two libraries that we do not ship compute it."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.analysis.agreement import cohen_kappa, krippendorff_alpha


def rows(**judges: str) -> list[dict[str, str]]:
    """Units from one string of answers a judge, `.` for none."""
    return [
        {judge: said for judge, said in zip(judges, unit, strict=True) if said != "."}
        for unit in zip(*judges.values(), strict=True)
    ]


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): his examples A, B and C.
KRIPPENDORFF = [
    (rows(a="0100000010", b="1110010000"), 0.095),
    (rows(a="aabbdcccedda", b="babbbcccEddd".lower()), 0.692),
    (
        rows(
            a="123321412...", b="12332241 25.3".replace(" ", ""), c=".33323422 51.".replace(" ", ""), d="12332441251."
        ),
        0.743,
    ),
]


@pytest.mark.parametrize(("units", "alpha"), KRIPPENDORFF)
def test_alpha_as_krippendorff_printed_it(units: list[dict[str, str]], alpha: float) -> None:
    assert krippendorff_alpha(units) == pytest.approx(alpha, abs=5e-4)


def table(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> list[dict[str, str]]:
    cells = (("yes", "yes", yes_yes), ("yes", "no", yes_no), ("no", "yes", no_yes), ("no", "no", no_no))
    return [{"a": a, "b": b} for a, b, count in cells for _ in range(count)]


# The two tables by which kappa is usually taught: equal agreement seen, other chance.
@pytest.mark.parametrize(
    ("cells", "kappa"), [((20, 5, 10, 15), 0.4), ((45, 15, 25, 15), 0.1304), ((25, 35, 5, 35), 0.2593)]
)
def test_kappa_as_it_is_taught(cells: tuple[int, int, int, int], kappa: float) -> None:
    assert cohen_kappa(table(*cells)) == pytest.approx(kappa, abs=5e-5)


answers = st.sampled_from(["yes", "no"])
pairs = st.lists(st.fixed_dictionaries({"a": answers, "b": answers}), min_size=1, max_size=40)
many = st.lists(st.dictionaries(st.sampled_from("abcd"), answers, max_size=4), max_size=40)


@settings(deadline=None)
@given(pairs)
def test_kappa_is_what_scikit_learn_says(units: list[dict[str, str]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    assume(len({said for unit in units for said in unit.values()}) > 1)
    expected = cohen_kappa_score([u["a"] for u in units], [u["b"] for u in units], labels=["yes", "no"])
    assert cohen_kappa(units) == pytest.approx(expected)


@settings(deadline=None)
@given(many)
def test_alpha_is_what_the_krippendorff_package_says(units: list[dict[str, str]]) -> None:
    import krippendorff

    assume(len({said for unit in units if len(unit) > 1 for said in unit.values()}) > 1)
    data = [[unit.get(judge) or "" for unit in units] for judge in "abcd"]
    numbers = [[{"yes": 1.0, "no": 0.0, "": float("nan")}[said] for said in row] for row in data]
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement="nominal")
    assert krippendorff_alpha(units) == pytest.approx(expected)


@settings(deadline=None)
@given(many)
def test_agreement_is_1_exactly_where_nobody_differs(units: list[dict[str, str]]) -> None:
    alpha = krippendorff_alpha(units)
    if not any(len(unit) > 1 for unit in units):
        assert alpha is None
        return
    assert alpha is not None
    assert alpha <= 1
    assert (alpha == 1) == all(len(set(unit.values())) <= 1 for unit in units)


def test_kappa_is_for_two_judges_who_judged_the_same() -> None:
    assert cohen_kappa([]) is None
    assert cohen_kappa([{"a": "yes"}, {"b": "yes"}]) is None
    assert cohen_kappa([{"a": "yes", "b": "yes", "c": "no"}]) is None
    assert cohen_kappa([{"a": "yes", "b": "yes"}, {"a": "no"}]) == 1.0
