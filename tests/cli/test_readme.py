"""The README's commands, copied line by line into a shell in which its first line was said, over a house at work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from tests.cli.test_json import Told, told
from tests.console import watching

__all__ = ["told"]
ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
LINES = [x.strip() for block in BLOCKS for x in block.splitlines() if x.strip().startswith("framewatch ")]
ENDLESS = {"framewatch top": "it is drawn until q is pressed: test_top"}
MAY_FAIL = {
    "framewatch verify": "the house of this test was not made by a pipeline",
    "framewatch status": "nor does anything run in it",
    "framewatch trends FRAME --version 1": "nor did a worker score a version of it whole",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone, as far as the commands look at it, with the user's own codebook in it."""
    place = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "services" / "demo", place / "services" / "demo")
    book = (ROOT / "services" / "demo" / "palmyra-2016.yaml").read_text(encoding="utf-8")
    (place / "my.yaml").write_text(book.replace("title: Staged theatrics", "title: Staged, all of it", 1))
    return place


def test_there_is_something_to_copy() -> None:
    assert len(LINES) > 8
    assert {x.partition(" #")[0].strip() for x in LINES} > {*ENDLESS, *MAY_FAIL}


@pytest.mark.parametrize("line", LINES)
def test_it_does_as_it_says(line: str, told: Told, folder: Path) -> None:
    command = line.partition(" #")[0].strip()
    if command in ENDLESS:
        command += " --once"
    env = {k: v for k, v in os.environ.items() if not k.startswith("FRAMEWATCH_")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "BROWSER": "true",
        "FRAMEWATCH_HOME": str(told.home), "FRAMEWATCH_DATABASE_URL": told.url, "FRAMEWATCH_MODEL": "noop",
    }  # fmt: skip
    done = subprocess.run(
        ["sh", "-c", command.replace("FRAME", watching.FRAME)], cwd=folder, env=env, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or command in MAY_FAIL, done.stderr
    assert done.stdout.strip() or command in MAY_FAIL, done.stderr


def test_what_is_asked_of_the_api_is_answered_with_figures(told: Told) -> None:
    asked = next(x for block in BLOCKS for x in block.splitlines() if x.startswith("curl "))
    url = urlsplit(asked.split("'")[1])
    here = f"{url.scheme}://{url.netloc}"
    with TestClient(create_app(Settings(database_url=told.url)), base_url=here) as web:
        points = web.get(f"{url.path}?{url.query}").raise_for_status().json()["points"]
    assert 8 < len(points) < 20, "the days of the demonstration, not months of nothing"
    assert all(p["posts"] is not None for p in points[:9])
