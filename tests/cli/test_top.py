"""The live view in a terminal of 80 columns: it is drawn, it ends with q, and leaves the terminal as it was."""

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from services.analysis.health import health
from services.cli import board
from services.cli.calling import called
from tests.api.seeded import palmyra
from tests.cli.test_commands import run, with_database

__all__ = ["palmyra", "run", "with_database"]


def read_until(place, wanted, seconds=60):
    told, end = b"", time.monotonic() + seconds
    while not re.search(wanted, told) and time.monotonic() < end:
        if select.select([place], [], [], 0.2)[0]:
            try:
                told += os.read(place, 65536)
            except OSError:
                break
    assert re.search(wanted, told), f"{wanted!r} did not come in {seconds} s, but {told[-2000:]!r}"
    return told


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_it_is_drawn_and_ends_with_a_key(palmyra, tmp_path, key):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(theirs)
    env = {**os.environ, "FRAMEWATCH_HOME": str(tmp_path), "FRAMEWATCH_DATABASE_URL": palmyra, "TERM": "xterm-256color"}
    argv = [sys.executable, "-m", "services.cli", "top", "--every", "60"]
    # A suite that was started in the background ignores Ctrl-C, and what it starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    try:
        told = read_until(ours, rb"alerts? go(es)? on")
        assert b"Moscow blames" in told
        assert "▁".encode() in told
        if key == b"\x03":
            process.send_signal(signal.SIGINT)
        else:
            os.write(ours, key)
        read_until(ours, rb"\x1b\[\?1049l", 20)
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def test_what_is_no_terminal_is_told_the_way(run, with_database):
    code, _, told = run("top")
    assert (code, "--json" in told) == (1, True)
    assert "no codebook is current" in run("top", "--once")[1]


def frame(title, **more):
    about = {
        "state": "burst",
        "condition": "on alert",
        "units": 12,
        "expected": 1.25,
        "share": 0.0312,
        "hours": [0, 3, None, 12],
        "alert_id": "a",
    }
    return {"title": title, **about, **more}


def test_it_fits_into_80_columns_whatever_the_names():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    stage = {"stage": "classify", "rows": 10, "seconds": 1.0, "failures": 1, "ran_at": now}
    long = "A very long title of a frame that goes on and on [red]and on"
    feed = {"title": long * 3, "address": "", "health": "late", "warning": None, "last_error": long}
    found = {
        "frames": [frame(long), frame("Ψ" * 90, state="insufficient coverage", condition="too little heard", units=None, expected=None, share=None),
                   frame("quiet", state="ok", condition="calm")],
        "frames_watched": 9, "stages": [stage], "feeds": [feed] * 6, "alerts": [{"reason": long * 4}] * 6,
        "backlog": [{"stage": "classify", "waiting": 1_234_567, "oldest_s": 5000.0}],
    }  # fmt: skip
    later = {**found, "stages": [{**stage, "rows": 30, "seconds": 2.0, "failures": 3}]}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(board.board(later, board.rates(found, later, 10.0), now, width=80))
    told = console.export_text()
    assert max(map(len, told.splitlines())) <= 80
    for part in ("on alert", "too little heard", "calm", "▁", "12", "1.2", "3.1%", "1,234,567", "83 min", "2.0", "10%", "6 late",
                 f"and 2 more: {called()} feeds list", "6 alerts go on", "[red]", "and 6 more"):  # fmt: skip
        assert part in told, part


def test_a_feed_is_late_when_its_own_pace_does_not_explain_its_silence():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    feed = {"state": "enabled", "clock": "wall", "mode": "poll", "interval_s": 3600, "pace": 1.0, "added_at": now,
            "failures": 0, "warning": None, "heard_until": now - timedelta(hours=4)}  # fmt: skip
    assert health(feed, now) == "late"
    assert health({**feed, "heard_until": now - timedelta(hours=2)}, now) == "heard"
    assert health({**feed, "pace": 2.0}, now) == "heard"
    assert health({**feed, "mode": "push"}, now) == "heard", "nobody promised to send"
    assert health({**feed, "state": "paused"}, now) == "paused"
    assert health({**feed, "clock": "feed"}, now) == "replaying"
    assert health({**feed, "heard_until": None, "added_at": now - timedelta(days=1)}, now) == "late"
