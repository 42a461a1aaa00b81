"""The routes of frames and codebooks: each reads the store once. They decide nothing."""

from fastapi import APIRouter, Request, Response

from schemas import wire
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import listings, readings

router = APIRouter(prefix="/api/v1", tags=["narratives"], responses=FAULTS)


@router.get("/frames", summary="The current frames and how each does", response_model=wire.Frames, responses=CSV)
def frames(by: With, request: Request, as_csv: AsCsv) -> wire.Frames | Response:
    """Newest verdict, and the 24 hours before the present."""
    with by.store.transaction() as tx:
        told = readings.read_frames(tx, by.now())
    return table(request, wire.Frame, told.frames) if as_csv else told


@router.get("/codebooks", summary="Every version of every codebook")
def codebooks(by: With) -> wire.Codebooks:
    """Versions with their state."""
    with by.store.transaction() as tx:
        return listings.read_codebooks(tx, by.now())
