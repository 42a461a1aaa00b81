"""The story of an alert: every step once, in order, whatever is unknown."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.analysis.following import follow

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def move(what, minute=None, **more):
    at = None if minute is None else T0 + timedelta(minutes=minute)
    return {"move": what, "at": at, "moved_by": None, "why": None, "until": None, **more}


def message(state, minute, **more):
    at = T0 + timedelta(minutes=minute)
    sent = at if state == "sent" else None
    known = {"step": "firing", "channel": "mail", "reason": None, "last_error": None, "attempts": 1, "carried": False}
    return {**known, "state": state, "created_at": at, "sent_at": sent, "next_attempt_at": at, **more}


def mute(minute, ended=None, **more):
    at, end = T0 + timedelta(minutes=minute), None if ended is None else T0 + timedelta(minutes=ended)
    return {"made_at": at, "made_by": "ann", "until": None, "ended_at": end, "ended_by": "ben" if end else None, **more}


def whats(*told):
    return [step.what for step in follow(*told)]


def test_everything_is_told_in_order():
    moves = [move("raised", 0), move("acknowledged", 5, moved_by="ann"), move("resolved", 60, why="calm")]
    messages = [
        message("sent", 1), message("parked", 2, last_error="550 no such user", attempts=3),
        message("silenced", 60, step="resolved", reason="acknowledged"), message("pending", 61, last_error="timed out"),
    ]  # fmt: skip
    steps = follow(moves, messages, [mute(20, 30)])
    assert [s.what for s in steps] == [
        "raised", "delivered", "parked", "acknowledged", "muted", "unmuted", "resolved", "silenced", "waiting",
    ]  # fmt: skip
    assert (steps[2].why, steps[2].attempts, steps[2].channel) == ("550 no such user", 3, "mail")
    assert (steps[3].by, steps[4].by, steps[5].by) == ("ann", "ann", "ben")
    assert steps[7].why == "acknowledged"
    assert steps[8].until == T0 + timedelta(minutes=61)


def test_a_move_comes_before_its_messages_and_an_unknown_time_keeps_its_place():
    moves = [move("raised", 0), move("escalated"), move("resolved", 9)]
    assert whats(moves, [message("sent", 0), message("sent", 9)], []) == [
        "raised", "escalated", "delivered", "resolved", "delivered",
    ]  # fmt: skip


def test_a_mute_that_another_replaces_did_not_end():
    assert whats([], [], [mute(1, 5), mute(5)]) == ["muted", "muted"]


def test_a_message_carried_by_another_says_so():
    assert follow([], [message("sent", 1, carried=True)], [])[0].why == "together with another message"


@given(st.lists(st.one_of(st.none(), st.integers(0, 99))), st.lists(st.integers(0, 99)), st.lists(st.integers(0, 99)))
def test_no_step_is_lost_and_times_never_go_back(moves, messages, mutes):
    told = follow([move("raised", m) for m in moves], [message("sent", m) for m in messages], [mute(m) for m in mutes])
    assert len(told) == len(moves) + len(messages) + len(mutes)
    later = [s.at for s in told if s.at is not None and s.what != "raised"]
    assert later == sorted(later)
