"""The route that says how detection keeps its budget of false alarms. It decides nothing."""

from fastapi import APIRouter

from schemas.wire_detection import Detection
from services.api.routes import FAULTS, With
from services.store import calibrations

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=FAULTS)


@router.get("/detection", summary="How the budget of false alarms is kept")
def read_detection(by: With) -> Detection:
    """The newest replay over all frames: budget, alarms a week, threshold in force. Raises nothing of its own."""
    with by.store.transaction() as tx:
        return Detection(calibration=calibrations.read_calibration(tx))
