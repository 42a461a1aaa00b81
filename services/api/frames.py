"""The routes of frames and codebooks: each reads the store once. They decide nothing."""

from fastapi import APIRouter

from schemas import wire
from services.api.routes import FAULTS, With
from services.store import listings, readings

router = APIRouter(prefix="/api/v1", tags=["narratives"], responses=FAULTS)


@router.get("/frames", summary="The current frames and how each does")
def frames(by: With) -> wire.Frames:
    """Newest verdict, and the 24 hours before the present."""
    with by.store.transaction() as tx:
        return readings.read_frames(tx, by.now())


@router.get("/codebooks", summary="Every version of every codebook")
def codebooks(by: With) -> wire.Codebooks:
    """Versions with their state."""
    with by.store.transaction() as tx:
        return listings.read_codebooks(tx, by.now())
