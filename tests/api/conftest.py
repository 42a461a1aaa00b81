"""The whole web process in memory, over a database as it stands after the bundled replay."""

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from tests.api.seeded import palmyra

__all__ = ["palmyra"]
HERE = "http://127.0.0.1:8787"


@pytest.fixture(scope="session")
def client(palmyra):
    with TestClient(create_app(Settings(database_url=palmyra)), base_url=HERE) as client:
        yield client


@pytest.fixture
def web(database_url):
    """Over an empty database."""
    with TestClient(create_app(Settings(database_url=database_url)), base_url=HERE) as client:
        yield client
