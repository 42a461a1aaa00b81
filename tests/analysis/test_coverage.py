"""Coverage: feed-seconds heard over feed-seconds expected."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.coverage import coverage, gaps, intersect, overlap

T0 = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(feed: int, kind: str, begin: float, end: float) -> dict:
    return {"feed_id": feed, "kind": kind, "starts_at": T0 + begin * HOUR, "ends_at": T0 + end * HOUR}


def hours(n: int) -> np.ndarray:
    return np.array([(T0 + i * HOUR).timestamp() for i in range(n)])


def test_a_silent_feed_is_a_gap_and_an_unexpected_one_is_unknown() -> None:
    spans = [span(1, "expected", 0, 4), span(1, "heard", 0, 2), span(2, "expected", 1, 4), span(2, "heard", 1, 4)]
    got = coverage(hours(5), 3600, spans)
    np.testing.assert_allclose(got, [1, 1, 0.5, 0.5, np.nan])


def test_being_heard_when_nobody_expected_it_counts_for_nothing() -> None:
    spans = [span(1, "expected", 1, 2), span(1, "heard", 0, 2)]
    np.testing.assert_allclose(coverage(hours(3), 3600, spans), [np.nan, 1, np.nan])


def test_where_all_is_sent_to_us_a_bucket_is_heard_while_a_sender_is_there() -> None:
    sent = [span(3, "sent", 1.5, 2.5), span(4, "sent", 2, 3)]
    np.testing.assert_allclose(coverage(hours(4), 3600, sent), [np.nan, 1, 1, np.nan])
    listened = [span(1, "expected", 2, 4), span(1, "heard", 3, 4)]
    np.testing.assert_allclose(coverage(hours(4), 3600, sent + listened), [np.nan, 1, 0, 1])
    assert gaps(sent, 60) == []


def test_gaps_are_named_with_feed_and_time() -> None:
    spans = [span(1, "expected", 0, 10), span(1, "heard", 0, 2), span(1, "heard", 5, 9)]
    assert gaps(spans, 60) == [(1, T0 + 2 * HOUR, T0 + 5 * HOUR), (1, T0 + 9 * HOUR, T0 + 10 * HOUR)]
    assert gaps(spans, 7200) == [(1, T0 + 2 * HOUR, T0 + 5 * HOUR)]


spans_of = st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), max_size=5)


@given(spans_of, spans_of)
def test_coverage_lies_between_none_and_all(expected: list, heard: list) -> None:
    def disjoint(pairs: list) -> list:
        cuts = sorted({round(x, 3) for pair in pairs for x in pair})
        return list(zip(cuts[::2], cuts[1::2], strict=False))

    spans = [span(1, "expected", *p) for p in disjoint(expected)] + [span(1, "heard", *p) for p in disjoint(heard)]
    got = coverage(hours(20), 3600, spans)
    known = got[~np.isnan(got)]
    assert ((known >= 0) & (known <= 1)).all()


def test_overlaps_add_up_to_the_length_of_the_spans() -> None:
    spans = [(1000.0, 5000.0), (6000.0, 9000.5)]
    assert overlap(np.arange(0, 12000, 300.0), 300, spans).sum() == 7000.5
    assert intersect(spans, [(4000.0, 7000.0)]) == [(4000.0, 5000.0), (6000.0, 7000.0)]
