"""subscribe: ask the hubs that feeds name to tell us of news at once (WebSub). Polling goes on and stays the truth."""

from schemas.errors import FramewatchError
from services.analysis.hearing import ask_hub_again
from services.store import websub
from services.store.pool import Row
from workers.runtime import Outcome, Runtime

HUBS = 20
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def subscribe(rt: Runtime) -> Outcome:
    """Ask what is due; nothing without an address at which hubs can reach us."""
    if not rt.hubs:
        return Outcome()
    now = rt.now()
    with rt.store.transaction() as tx:
        due = websub.due_subscriptions(tx, now, HUBS)
        asked = []
        for row in due:
            attempts = row["attempts"] + 1
            words = {"token": row["token"] or rt.hubs.word(), "secret": row["secret"] or rt.hubs.word()}
            again = now + ask_hub_again(attempts)
            websub.save_subscription(
                tx, row["feed_id"], hub=row["hub"], topic=row["topic"], **words, ask_at=again, attempts=attempts
            )  # fmt: skip
            asked.append({**row, **words})
    failures = sum(not _ask(rt, row) for row in asked)
    return Outcome(rows=len(asked) - failures, failures=failures)


def _ask(rt: Runtime, row: Row) -> bool:
    assert rt.hubs  # noqa: S101 - looked at above
    body = rt.hubs.request(row["topic"], row["token"], row["secret"])
    try:
        status = rt.hubs.post(row["hub"], body, _FORM)
    except FramewatchError:
        return False
    return 200 <= status < 300
