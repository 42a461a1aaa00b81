"""The routes of digests: when they go out, the newest, and what it would say now. They decide nothing."""

from fastapi import APIRouter

from schemas import wire, wire_digests
from services.api.routes import FAULTS, With
from services.store import listings

router = APIRouter(prefix="/api/v1", tags=["digests"], responses=FAULTS)


@router.get("/digests", summary="Every digest and when it goes out")
def digests(by: With) -> wire_digests.Digests:
    """With its last slot and its next."""
    with by.store.transaction() as tx:
        return listings.read_digests(tx, by.now())


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
