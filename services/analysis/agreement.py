"""How far people who judged the same posts agree, beyond chance. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

Answers = Sequence[Mapping[str, str]]
"""What was answered, a mapping of judge to answer for each unit; a judge who did not answer is not in it."""


def cohen_kappa(units: Answers) -> float | None:
    """Cohen's kappa (1960) of the two judges in `units`, over the units that both answered.

    None unless there are exactly two judges with a unit in common. Full agreement is 1, also where chance alone would
    give it (both always say the same one thing).
    """
    judges = sorted({judge for unit in units for judge in unit})
    both = [(unit[judges[0]], unit[judges[1]]) for unit in units if len(unit) == 2] if len(judges) == 2 else []
    if not both:
        return None
    seen = sum(a == b for a, b in both) / len(both)
    first, second = Counter(a for a, _ in both), Counter(b for _, b in both)
    chance = sum(first[value] * second[value] for value in first) / len(both) ** 2
    return 1.0 if chance == 1 else (seen - chance) / (1 - chance)


def krippendorff_alpha(units: Answers) -> float | None:
    """Krippendorff's alpha for nominal answers of any number of judges, some of whom may not have answered.

    After Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), case C: from the coincidences of answers
    within units that two or more judged. None where there is no such unit; full agreement is 1.
    """
    pairable = [Counter(unit.values()) for unit in units if len(unit) > 1]
    total = sum(count.total() for count in pairable)
    if not total:
        return None
    values: Counter[str] = sum(pairable, Counter())
    apart = sum(_disagreements(count) / (count.total() - 1) for count in pairable)
    expected = _disagreements(values) / (total - 1)
    return 1 - apart / expected if expected else 1.0


def _disagreements(count: Counter[str]) -> int:
    """Ordered pairs of answers that differ."""
    return count.total() ** 2 - sum(n * n for n in count.values())
