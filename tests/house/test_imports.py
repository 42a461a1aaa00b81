"""The import contracts of pyproject.toml hold: storeys, purity, no circles."""

import subprocess
import sys
from pathlib import Path


def test_imports_go_down_the_storeys_and_what_decides_imports_no_clock() -> None:
    argv = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Analysis is pure: no clock, no chance, no network, no log KEPT" in done.stdout
