from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.times import EARLIEST, TOLERANCE, event_time, parse_time

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON = datetime(2016, 12, 11, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        "2016-12-11T12:00:05Z",
        "2016-12-11 12:00:05",
        "2016-12-11t15:00:05.000+03:00",
        "2016-12-11T12:00:05,000000000z",
        "20161211T120005Z",
        "20161211T150005+0300",
        "Sun, 11 Dec 2016 12:00:05 GMT",
        "Sunday, 11 December 2016 12:00:05 +0000",
        "11 Dec 16 07:00:05 EST",
        "  Sun,  11 Dec 2016\n 13:00:05 +01:00 ",
    ],
)
def test_the_three_forms_are_read(raw):
    assert parse_time(raw) == NOON


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2016-12-11", datetime(2016, 12, 11, tzinfo=UTC)),
        ("20161211", datetime(2016, 12, 11, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Sat, 07 Sep 2002 0:00:01 GMT", datetime(2002, 9, 7, 0, 0, 1, tzinfo=UTC)),
        ("2024-02-29T00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2016-12-11T12:00:05.123456789Z", NOON.replace(microsecond=123456)),
    ],
)
def test_edges_of_the_forms_are_read(raw, expected):
    assert parse_time(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "soon",
        "2026-13-45",
        "2026-02-30",
        "20000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+99:00",
        "1",
        "0",
        "2026-01-01T00:00:00+14:01",
        "2026-01-01T24:00:00Z",
        "2026-01-01T10:61:00Z",
        "0000-01-01",
        "1480000000",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "31 Jun 2016 10:00 GMT",
        "11 Foo 2016 10:00 GMT",
        "2016-12-11T12:00:05 XYZ",
        "٢٠١٦-١٢-١١",
        "2016-12-11T12:00:61Z",
        "2016-W50-7",
        "2016-12-11T12:00:05Z " * 20,
        "Sun, 11 Dec 216 12:00:05 GMT",
        "infinity",
        "now",
        "2016-12-11T12:00:05+00:60",
    ],
)
def test_nothing_is_guessed_or_rolled_over(raw):
    assert parse_time(raw) is None


@given(st.datetimes(timezones=st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))))
def test_what_python_writes_is_read_back(moment):
    moment = (
        moment.astimezone(timezone(timedelta(minutes=moment.utcoffset() // timedelta(minutes=1))))
        if (datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC))
        else NOW
    )
    assert parse_time(moment.isoformat()) == moment


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?([+-]\d\d:?\d\d|Z)?)?", fullmatch=True))
def test_any_text_is_a_utc_time_or_none(raw):
    parsed = parse_time(raw)
    assert parsed is None or parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("stated", "raw", "quality"),
    [
        (None, "  ", "missing"),
        (None, "2026-13-45", "bad"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01", "bad"),
        (EARLIEST - timedelta(microseconds=1), "x", "bad"),
        (NOON.replace(tzinfo=None), "x", "bad"),
        (NOW + TOLERANCE + timedelta(microseconds=1), "x", "future"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))), "x", "future"),
    ],
)
def test_an_unusable_time_becomes_the_time_of_receipt(stated, raw, quality):
    assert event_time(stated, raw, NOW) == (NOW, quality)


@pytest.mark.parametrize("stated", [EARLIEST, NOON, NOW, NOW + TOLERANCE])
def test_a_usable_time_is_kept(stated):
    assert event_time(stated, "x", NOW) == (stated, "stated")


@given(st.none() | st.datetimes(timezones=st.just(UTC)))
def test_every_event_time_is_inside_the_bounds(stated):
    moment, quality = event_time(stated, "x", NOW)
    assert EARLIEST <= moment <= NOW + TOLERANCE
    assert (quality == "stated") == (stated is not None and moment == stated)
