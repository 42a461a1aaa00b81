"""What is composed for readers: evidence, identities, quality."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from services.analysis import evidence, quality
from services.analysis.identities import Identity
from services.analysis.identity import pseudonym


@pytest.mark.parametrize(("observed", "expected"), [(0, 1.0), (5, 0.4), (40, 12.5)])
def test_the_rate_ratio_interval_is_the_exact_poisson_one(observed: int, expected: float) -> None:
    low, high = evidence.ratio_interval(observed, expected)
    assert low * expected == pytest.approx(stats.chi2.ppf(0.025, 2 * observed) / 2 if observed else 0.0)
    assert high * expected == pytest.approx(stats.chi2.ppf(0.975, 2 * observed + 2) / 2)


def test_an_outage_names_the_feed_since_when_and_why() -> None:
    onset = datetime(2026, 3, 2, 9, tzinfo=UTC)
    feed = {"title": "", "address": "https://example.org/feed", "last_error": "no such host", "last_reason": "x"}
    bundle = evidence.outage("id", feed, onset, onset + timedelta(hours=2))
    assert bundle["reason"] == "https://example.org/feed has not been heard since 02 Mar 2026 09:00 UTC: no such host"
    assert evidence.subject(bundle) == "https://example.org/feed is silent"


def test_an_identity_tells_its_numbers_and_its_drift() -> None:
    holds = Identity("stored", "stored", 5, {"scored": 3, "pending": 2})
    assert (str(holds), holds.drift) == ("stored 5 = scored 3 + pending 2", 0)
    assert Identity("stored", "stored", 5, {"scored": 3}).drift == 2


def test_quality_counts_what_a_hand_would() -> None:
    true = quality.matrix(["a", "b"], [["a"], ["a", "b"], [], []])
    said = quality.matrix(["a", "b"], [["a"], [], ["a"], []])
    a, b = quality.measure(["a", "b"], said, true)
    assert (a.precision, a.recall, a.f1) == (0.5, 0.5, 0.5)
    assert (b.recall, b.f1) == (0.0, 0.0)
    assert a.f1_low <= a.f1 <= a.f1_high
    assert quality.macro_f1([a, b]) == 0.25
    assert quality.false_alarms(said, true) == 0.5
    assert not np.isnan(quality.macro_f1([]))


def test_pseudonyms_are_stable_keyed_and_apart_by_source() -> None:
    assert pseudonym(b"k" * 16, "rss", "jane") == pseudonym(b"k" * 16, "rss", "jane")
    assert pseudonym(b"k" * 16, "rss", "jane") != pseudonym(b"x" * 16, "rss", "jane")
    assert pseudonym(b"k" * 16, "rss", "jane") != pseudonym(b"k" * 16, "mastodon", "jane")
    assert pseudonym(b"k" * 16, "rss", "") == ""
