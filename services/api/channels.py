"""The routes of channels: where alerts and digests go, secrets hidden, and whether one takes a message."""

from typing import Annotated

from fastapi import APIRouter, Path

from schemas import wire_channels
from schemas.errors import FramewatchError, PermanentError, Reason
from schemas.records import Notice
from services.api.callers import needs
from services.api.routes import FAULTS, With
from services.channels import channel_for, redact
from services.store import deliveries, retrying

router = APIRouter(prefix="/api/v1", tags=["channels"], responses=FAULTS)
Name = Annotated[str, Path(description="Name of the channel.", pattern="^[A-Za-z0-9._-]{1,40}$")]


@router.get("/channels", summary="Where alerts and digests go", openapi_extra=needs("admin"))
def channels(by: With) -> wire_channels.Channels:
    """Every channel; what is secret in its configuration is hidden."""
    with by.store.transaction() as tx:
        found = deliveries.list_channels(tx)
    return wire_channels.Channels(
        channels=tuple(
            wire_channels.Channel(
                name=c["name"], kind=c["kind"], state=c["state"], quiet=c["quiet"],
                config=dict(redact(c["kind"], c["config"])),
            ) for c in found
        )
    )  # fmt: skip


@router.post("/channels/{name}/test", summary="Send a test message through a channel now")
def test(by: With, name: Name) -> wire_channels.Tested:
    """A message that was not taken is an answer, too: `reason` says why."""
    with by.store.transaction() as tx:
        found = next((c for c in deliveries.list_channels(tx) if c["name"] == name), None)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no channel {name}; see: framewatch channels list")
    now = by.now()
    notice = Notice(f"test.{now:%Y%m%dT%H%M%S}", "test", "framewatch: a test", {"channel": name})
    way_out = by.outside().fetcher
    try:
        channel_for(found["kind"], found["config"], way_out, public_url=by.public_url).send(notice, sent_at=now)
    except FramewatchError as error:
        return wire_channels.Tested(channel=name, taken=False, reason=error.reason, told=str(error))
    return wire_channels.Tested(channel=name, taken=True, reason=None, told=None)


@router.post("/channels/{name}/retry", summary="Send what was set aside once more", status_code=202)
def retry(by: With, name: Name) -> wire_channels.Retried:
    """Messages that could not be delivered are queued again, under the ids they have."""
    with by.store.transaction() as tx:
        found = retrying.retry(tx, by.now(), channel=name)
    messages, oldest = (found[0]["messages"], found[0]["oldest"]) if found else (0, None)
    return wire_channels.Retried(channel=name, messages=messages, oldest=oldest)
