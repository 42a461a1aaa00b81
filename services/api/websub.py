"""Where WebSub hubs ask and tell: open to whoever knows the callback's word; what is told counts only when signed.

Decides nothing: services.sources.rss.websub says what a question means and whether a signature is right.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from services.analysis.hearing import ask_hub_again, renew_lease
from services.api.routes import Means, means
from services.sources.rss.websub import denied, is_signed, verified
from services.store import feeds, websub

MAX_BYTES = 2 * 1024 * 1024
"""A larger message is refused: the next fetch finds what it told of."""
hubs = APIRouter(prefix="/websub", include_in_schema=False)
With = Annotated[Means, Depends(means)]


@hubs.get("/{token}")
def confirm(by: With, request: Request, token: str) -> Response:
    """Answer a hub that asks whether we asked; 404 for what we did not ask."""
    asked = {name: value[:2000] for name, value in request.query_params.items()}
    now = by.now()
    with by.store.transaction() as tx:
        found = websub.find_subscription(tx, token)
        if found is None:
            return Response(status_code=404)
        if denied(asked, topic=found["topic"]):
            websub.deny_subscription(tx, token, ask_at=now + ask_hub_again(10))
            return Response(status_code=200)
        answer = verified(asked, mode="subscribe", topic=found["topic"])
        if answer is None or answer.lease is None:
            return Response(status_code=404)
        lease = max(answer.lease, timedelta(minutes=5))
        websub.agree_subscription(tx, token, lease_until=now + lease, ask_at=now + renew_lease(lease))
        return Response(answer.challenge, media_type="text/plain")


@hubs.post("/{token}")
async def told(by: With, request: Request, token: str) -> Response:
    """A hub tells of news. Signed or not, the answer is the same: nobody learns by trying."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            return Response(status_code=413)
    signature = request.headers.get("x-hub-signature", "")
    return Response(status_code=await run_in_threadpool(_hear, by, token, bytes(body), signature))


def _hear(by: Means, token: str, body: bytes, signature: str) -> int:
    """Have the feed fetched now: its own server words posts as every other fetch does, so none counts twice."""
    with by.store.transaction() as tx:
        found = websub.find_subscription(tx, token)
        if found and is_signed(body, signature, found["secret"]):
            feeds.hurry_feed(tx, found["feed_id"], by.now())
    return 202 if found else 404
