"""The API: JSON answers over HTTP from the store. It changes nothing, asks no worker and draws no page."""

from services.api.app import create_api

__all__ = ["create_api"]
