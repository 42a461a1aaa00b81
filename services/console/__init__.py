"""The console: pages a team reads, drawn on the server from the store. It changes nothing and fetches nothing."""

from services.console.app import create_console

__all__ = ["create_console"]
