"""The one guarded way out to the network: fetches and posts over HTTP, WebSockets; to public addresses only.

Every hop is checked at the moment of connecting; time, bytes and redirects are bounded. It must not know what
it carries: no feed formats, no channels, no settings.
"""

from services.fetch.answers import Response, check_status, shown
from services.fetch.bodies import Inflater
from services.fetch.client import MAX_BYTES, Fetcher
from services.fetch.websocket import RefusedError, WebSocket

__all__ = ["MAX_BYTES", "Fetcher", "Inflater", "RefusedError", "Response", "WebSocket", "check_status", "shown"]
