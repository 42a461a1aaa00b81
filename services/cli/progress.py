"""A bar for long work, on standard error and only where somebody can see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(
    label: str, total: int | None = None, *, hidden: bool = False
) -> Iterator[Callable[[int, int | None], None]]:
    """A function that says how much is done, and of how much once that is known; the bar goes when the work is done.

    `hidden` where the work's own lines go to the same terminal.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)

        def tell(done: int, of: int | None) -> None:
            bar.update(task, completed=done, total=total if of is None else of)

        yield tell
