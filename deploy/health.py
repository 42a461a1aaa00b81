"""Container health: whether work happens, not whether a process is there. Prints the reason, exits 1 when it does not.

`health.py stages collect deliver`: each of these stages ran lately, by the database's own record.
`health.py any`: some stage did, so ticks arrive.
`health.py page URL [TEXT]`: the page answers 200 and holds TEXT.

Replicas of one worker share a record: a stalled one is seen only when all are.
"""

import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.errors import FramewatchError
from services import settings
from services.store import counts
from services.store.pool import Store

STALE_S = 180.0
"""Longer than the longest batch and the pause between two records of an idle stage together."""
PATIENCE_S = 10.0
"""Less than the timeout of the health checks in docker-compose.yml, so that a reason gets printed."""


def main(argv: Sequence[str]) -> str | None:
    """What is wrong, or None."""
    kind, *rest = argv
    try:
        conf = settings.load()
        return _page(conf, *rest) if kind == "page" else _stages(conf, rest)
    except (FramewatchError, OSError) as error:
        return f"{kind}: {error}"


def _stages(conf: settings.Settings, wanted: Sequence[str]) -> str | None:
    store = Store(settings.database_url(conf), size=1, name="framewatch health")
    try:
        with store.transaction() as tx:
            ran = {row["stage"]: row["ran_at"] for row in counts.stage_runs(tx)}
    finally:
        store.close()
    now = datetime.now(UTC)
    ages = {stage: (now - at).total_seconds() for stage, at in ran.items()}
    if not wanted:
        return None if min(ages.values(), default=STALE_S) < STALE_S else f"no stage ran for {STALE_S:.0f} s"
    late = [stage for stage in wanted if ages.get(stage, STALE_S) >= STALE_S]
    return f"not run for {STALE_S:.0f} s: {', '.join(late)}" if late else None


def _page(conf: settings.Settings, url: str, text: str = "") -> str | None:
    headers = {"Authorization": f"Bearer {conf.api_token}"} if conf.api_token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the address is ours
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            body = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return f"{url}: {error.code} {error.read(500).decode('utf-8', 'replace')}"
    return None if text in body.splitlines() or not text else f"{url} does not say {text!r}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
