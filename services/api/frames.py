"""The routes of frames, codebooks and digests: each reads the store once. They decide nothing."""

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


@router.get("/digests/latest", summary="The newest digest")
def latest_digest(by: With) -> wire.Digest:
    """404 before the first."""
    with by.store.transaction() as tx:
        return listings.read_last_digest(tx, by.now())


@router.get("/digests/preview", summary="The digest of the day before the present, as it would be sent now")
def preview_digest(by: With) -> wire.Digest:
    """Nothing is saved or sent; 404 while no codebook is current."""
    with by.store.transaction() as tx:
        return listings.preview_digest(tx, by.now())
