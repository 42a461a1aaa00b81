"""The seeded database of the API's tests."""

from tests.api.seeded import palmyra

__all__ = ["palmyra"]
