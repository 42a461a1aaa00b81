"""Runs a stage by its name, imported where it runs: beat, which only names tasks, stays small, as does each worker."""

from importlib import import_module


def run(stage: str) -> None:
    """Run `workers.stages.<stage>.<stage>` once."""
    from workers.boot import run_stage

    run_stage(stage, getattr(import_module(f"workers.stages.{stage}"), stage))
