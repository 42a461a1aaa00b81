"""What only a worker needs, imported where it is needed: beat, which only names tasks, stays small; so do workers."""

from importlib import import_module
from typing import Any

from celery.signals import worker_init


@worker_init.connect
def boot(**_: Any) -> None:
    """Make this process a worker: its signals are heard from the start, before the first task."""
    import_module("workers.boot")


def run(stage: str) -> None:
    """Run `workers.stages.<stage>.<stage>` once."""
    from workers.boot import run_stage

    run_stage(stage, getattr(import_module(f"workers.stages.{stage}"), stage))
