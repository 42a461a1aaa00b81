"""Makes the quality of a frame out of rows of judged samples: what counts, what is left out, and the words for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.analysis import judging
from services.analysis.agreement import cohen_kappa, krippendorff_alpha
from services.analysis.judging import Estimate, Judged

Row = Mapping[str, Any]
UNMEASURED = "precision not measured yet"


def samples_of(rows: Sequence[Row]) -> list[tuple[Row, Mapping[str, str]]]:
    """The samples in rows (one a sample and judge), each with its answers by judge."""
    found: dict[tuple[date, int], tuple[Row, dict[str, str]]] = {}
    for row in rows:
        found.setdefault((row["week"], row["post_id"]), (row, {}))[1][row["judge"]] = row["answer"]
    return list(found.values())


def judged(rows: Sequence[Row]) -> list[Judged]:
    """Samples that somebody answered with yes or no."""
    told = []
    for row, answers in samples_of(rows):
        clear = [a for a in answers.values() if a != "unsure"]
        if clear:
            told.append(
                Judged(
                    row["week"], row["stratum"], _size(row, row["stratum"]), bytes(row["unit_key"]),
                    clear.count("yes") / len(clear), row["carried"], row["probability"] or 0.0,
                )
            )  # fmt: skip
    return told


def quality(rows: Sequence[Row], leaked: Callable[[Row], bool]) -> dict[str, Any]:
    """Every field of a frame's quality; `leaked` says of a row that its text must not count."""
    told = [bool(leaked(row)) for row in rows]
    counted = [row for row, is_leaked in zip(rows, told, strict=True) if not is_leaked]
    samples = judged(counted)
    weeks = sorted({s.week for s in samples})
    precision = judging.precision(samples)
    agreed = [_clear(answers) for _, answers in _by_unit(rows)]
    return {
        **_estimate("precision", precision),
        **_estimate("recall", judging.recall(samples, sizes(counted, weeks))),
        "judged": len(samples),
        "judged_carrying": sum(s.carried for s in samples),
        "left_out": len({(r["week"], r["post_id"]) for r, is_leaked in zip(rows, told, strict=True) if is_leaked}),
        "judges": len({r["judge"] for r in rows}),
        "judged_twice": sum(len(answers) > 1 for answers in agreed),
        "kappa": cohen_kappa(agreed),
        "alpha": krippendorff_alpha(agreed),
        "first_week": weeks[0] if weeks else None,
        "last_week": weeks[-1] if weeks else None,
        "told": words(precision, weeks),
    }


def sizes(rows: Sequence[Row], weeks: Iterable[date]) -> list[tuple[str, int]]:
    """(stratum, units) of each of these weeks."""
    by_week = {row["week"]: row for row in rows}
    return [(name, _size(by_week[week], name)) for week in weeks for name in ("near", "carried", "rest")]


def words(precision: Estimate | None, weeks: Sequence[date]) -> str:
    """Precision in one short line."""
    if precision is None:
        return UNMEASURED
    span = f"{_week(weeks[0])}" + (f" to {_week(weeks[-1])}" if len(weeks) > 1 else "")
    low, high = f"{100 * precision.low:.0f}", f"{100 * precision.high:.0f}"
    return f"precision {100 * precision.value:.0f}% (95% interval {low} to {high}%, {precision.judged} judged, {span})"


def _week(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _size(row: Row, stratum: str) -> int:
    return int(row["clear" if stratum == "carried" else stratum])


def _by_unit(rows: Sequence[Row]) -> list[tuple[bytes, dict[str, str]]]:
    """Answers by judge of each unit: one that was drawn twice was still judged once."""
    units: dict[bytes, dict[str, str]] = {}
    for row in rows:
        units.setdefault(bytes(row["unit_key"]), {})[row["judge"]] = row["answer"]
    return list(units.items())


def _clear(answers: Mapping[str, str]) -> dict[str, str]:
    return {judge: answer for judge, answer in answers.items() if answer != "unsure"}


def _estimate(name: str, found: Estimate | None) -> dict[str, float | None]:
    value = (None, None, None) if found is None else (found.value, found.low, found.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), value, strict=True))
