"""An alert as others take it into their own systems: a STIX bundle, the same from all faces. It writes nothing."""

from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.stix import bundle
from services.store import alerts, histories
from services.store.pool import Connection

STIX = "application/stix+json;version=2.1"
"""Media type of a bundle (registered with IANA by OASIS)."""


def stix_of(connection: Connection, alert_id: str) -> dict[str, Any]:
    """The STIX 2.1 bundle of an alert of a frame.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT for one that tells of what was not heard.
    """
    alert = alerts.read_alert(connection, alert_id)
    if alert is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no alert {alert_id}; see: framewatch alerts list")
    if alert["frame"] is None:
        raise PermanentError(
            Reason.BAD_INPUT, "this alert tells of what was not heard: it has nothing to share as STIX"
        )
    return bundle(alert, histories.techniques_of(connection, alert["version_id"], alert["frame"]))
