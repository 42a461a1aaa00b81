"""deliver: claim deliveries due, send each, then mark it: at least once, under one id for ever."""

from concurrent.futures import ThreadPoolExecutor

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.records import DueDelivery
from services.analysis.scheduling import retry_at
from services.store import deliveries
from workers.runtime import Outcome, Runtime

DELIVERIES = 16


def deliver(rt: Runtime) -> Outcome:
    """Send what is due."""
    with rt.store.transaction() as tx:
        claimed = deliveries.claim_deliveries(tx, limit=DELIVERIES, lease=rt.lease)
    if not claimed:
        return Outcome()
    with ThreadPoolExecutor(min(len(claimed), 8), "send") as pool:
        outcomes = list(pool.map(lambda delivery: send(rt, delivery), claimed))
    return Outcome(
        rows=sum(o.rows for o in outcomes),
        failures=sum(o.failures for o in outcomes),
        fenced_off=sum(o.fenced_off for o in outcomes),
        again=len(claimed) == DELIVERIES,
    )


def send(rt: Runtime, delivery: DueDelivery) -> Outcome:
    """Send one message and write what came of it."""
    try:
        rt.channel(delivery.channel_kind, delivery.channel_config).send(delivery.notice, sent_at=rt.now())
    except (TransientError, PermanentError) as error:
        return _settle_failure(rt, delivery, error)
    now = rt.now()
    sent = {"state": "sent", "reason": None, "error": None, "next_attempt_at": now, "now": now}
    with rt.store.transaction() as tx:
        ours = deliveries.settle_delivery(tx, delivery, **sent)
    return Outcome(rows=1, fenced_off=0 if ours else 1)


def _settle_failure(rt: Runtime, delivery: DueDelivery, error: FramewatchError) -> Outcome:
    now = rt.now()
    due = None
    if isinstance(error, TransientError):
        due = retry_at(now, delivery.attempts, retry_after=error.retry_after, jitter=rt.chance())
    failed = {
        "state": "pending" if due else "parked", "reason": error.reason.value, "error": str(error),
        "next_attempt_at": due or now, "now": now,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        ours = deliveries.settle_delivery(tx, delivery, **failed)
        if ours and error.reason == Reason.GONE:
            deliveries.pause_channel(tx, delivery)
        if ours and not due:
            deliveries.silence_what_follows(tx, delivery)
    return Outcome(failures=1, fenced_off=0 if ours else 1)
