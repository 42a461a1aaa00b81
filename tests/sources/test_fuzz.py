"""A short run of the fuzzer; the long one is `python -m tests.sources.fuzz`."""

import pytest

from services.sources import SOURCES
from tests.sources import fuzz


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_damaged_documents_are_parsed_or_refused(kind):
    outcome = fuzz.run([kind], cases=400, seed=7)
    assert outcome.findings == []
    assert sum(outcome.results.values()) == outcome.cases == 400
