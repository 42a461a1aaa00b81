"""The seeded database of the API's tests, and a browser before a server of our own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from services.store.pool import Store
from tests import chromium
from tests.api.seeded import palmyra
from tests.conftest import named
from tests.console import watching
from tests.console.watching import House

__all__ = ["palmyra"]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-dev-shm-usage", "--force-color-profile=srgb",
]  # fmt: skip
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the tests of a file: while Playwright is open, nobody else can run an event loop here."""
    program = chromium.find()
    if program is None:
        pytest.fail(chromium.HELP)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def watched(postgres_url: str, template: str) -> str:
    """Name of a database that `watching.seed` filled once; others are copied from it."""
    name = f"{template}_watched"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    store = Store(named(postgres_url, name), name="seeding")
    watching.seed(store)
    store.close()
    return name


@pytest.fixture(scope="module")
def house(postgres_url: str, watched: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server of its own for the tests of one file: what they change, others do not see."""
    name = f"{watched}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {watched}")
    with watching.served(named(postgres_url, name), tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="session")
def screens() -> Path:
    """Where pictures of pages are kept: build/ is ignored by git."""
    folder = Path("build/screens")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
