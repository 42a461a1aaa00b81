"""Who waits in a test says so when it waits in vain; nobody in tests waits in silence."""

import ast
import threading
from pathlib import Path

import pytest

from tests.waiting import came, ended, wait

TESTS = sorted(Path("tests").rglob("*.py"))


def test_what_does_not_come_is_told_with_what_was_there_instead() -> None:
    found, wanted = [3], 4
    with pytest.raises(AssertionError) as told:
        wait(lambda: found[0] == wanted, 0.02, 0.01)
    for part in ("not within 0.02 s: found[0] == wanted", "found[0] = 3", "wanted = 4"):
        assert part in str(told.value)
    assert wait(lambda: found, 0) == [3]


def test_an_error_that_means_not_yet_is_told_and_any_other_ends_the_waiting() -> None:
    def asked() -> bool:
        raise KeyError("nobody there")

    with pytest.raises(AssertionError, match="asked\nat the end: KeyError"):
        wait(asked, 0.02, 0.01, passing=(LookupError,))
    with pytest.raises(KeyError):
        wait(asked, 9)


def test_an_event_nobody_sets_and_a_thread_that_goes_on_fail() -> None:
    free = threading.Event()
    thread = threading.Thread(target=free.wait, args=[20])
    thread.start()
    with pytest.raises(AssertionError, match="goes on"):
        ended(thread, seconds=0.01)
    with pytest.raises(AssertionError, match="nobody set it"):
        came(free, 0.01)
    free.set()
    came(free)
    ended(thread)


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_nobody_waits_in_silence(path: Path) -> None:
    """`Event.wait(n)` and `Thread.join(n)` say nothing when their time is up; a process's `wait` raises."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and (call.args or call.keywords):
            whose = ast.unparse(call.func.value)
            silent = call.func.attr == "join" or (call.func.attr == "wait" and not whose.endswith("process"))
            assert not silent or path.name == "waiting.py", f"line {node.lineno}: {ast.unparse(call)}"
