"""Waiting that cannot be silent: what does not come fails the test, and says what was waited for and what was there instead."""

import ast
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn


def wait(
    condition: Callable[[], Any], seconds: float, every: float = 0.1, *, passing: tuple[type[Exception], ...] = ()
) -> Any:
    """Wait until the condition is true and return what it said; AssertionError after `seconds`.

    `passing`: errors that mean no more than "not yet".
    """
    end = time.monotonic() + seconds
    while True:
        try:
            answer: Any = condition()
        except passing as error:
            answer = error
        else:
            if answer:
                return answer
        if time.monotonic() > end:
            raise AssertionError(
                f"not within {seconds:g} s: {wording(condition)}\nat the end: {seen(condition, answer)}"
            )
        time.sleep(every)


def came(event: threading.Event, seconds: float = 20) -> None:
    """Wait for an event; AssertionError when it is not set in time."""
    assert event.wait(seconds), f"nobody set it within {seconds:g} s"


def ended(*threads: threading.Thread, seconds: float = 20) -> None:
    """Wait for threads to end; AssertionError when one goes on."""
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), f"{thread.name} goes on after {seconds:g} s"


@contextmanager
def serving(make: Callable[[Callable[[], bool]], Any], **options: Any) -> Iterator[str]:
    """An application behind real HTTP on a free port, by its address. `make` is given: is the server stopping?"""
    stopping = threading.Event()
    app = make(stopping.is_set)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, ws="none", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait(lambda: server.started or not thread.is_alive(), 30, 0.01)
    assert server.started, "the server ended at once"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        stopping.set()
        server.should_exit = True
        ended(thread, seconds=30)


def wording(condition: Callable[[], Any]) -> str:
    """What a condition asks, as it is written."""
    found = _written(condition)
    return ast.unparse(found.body) if found else getattr(condition, "__qualname__", repr(condition))


def seen(condition: Callable[[], Any], answer: Any) -> str:
    """What it said last, and of what it compares, both sides as they are now."""
    told = [repr(answer)]
    found = _written(condition)
    if found:
        known = inspect.getclosurevars(condition)
        names = {**known.builtins, **known.globals, **known.nonlocals}
        for node in ast.walk(found.body):
            for side in [node.left, *node.comparators] if isinstance(node, ast.Compare) else []:
                with suppress(Exception):
                    value = eval(compile(ast.Expression(side), "<waiting>", "eval"), names)
                    told += [f"{ast.unparse(side)} = {value!r}"] if not isinstance(side, ast.Constant) else []
    return "; ".join(text[:2000] for text in told)


def _written(condition: Callable[[], Any]) -> ast.Lambda | None:
    code = getattr(condition, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return None
    with suppress(OSError, SyntaxError):
        tree = ast.parse(Path(code.co_filename).read_text("utf-8"))
        ours = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == code.co_firstlineno]
        return ours[0] if len(ours) == 1 else None
    return None
