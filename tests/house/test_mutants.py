"""Planted bugs can still be planted: the line that each one breaks stands where it says."""

from pathlib import Path

import pytest

from tests.mutants import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.file}: {m.good.strip()[:40]}")
def test_a_planted_bug_has_its_place(mutant):
    assert Path(mutant.file).read_text(encoding="utf-8").count(mutant.good) == 1, (
        "or another place may be broken instead"
    )
    assert mutant.good != mutant.bad
    assert Path(mutant.tests.split()[0]).exists()
