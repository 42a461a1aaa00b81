"""One worker as a process of its own, for tests that set several on one database, or kill one.

python -m tests.stages.digest_worker DATABASE_URL STAGE LEASE_SECONDS   runs the stage once by the wall clock.
"""

import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from services.analysis.intake import Intake
from services.analysis.unsubscribing import token
from services.channels import channel_for
from services.fetch import Fetcher
from services.store.pool import Store
from workers.runtime import Runtime
from workers.stages.deliver import deliver
from workers.stages.digest import digest

KEY = b"a key of the tests"
STAGES = {"digest": digest, "deliver": deliver}


def none(*_):
    raise NotImplementedError


def runtime(store, lease, now=lambda: datetime.now(UTC)):
    poster = Fetcher(allow_networks="127.0.0.1")
    return Runtime(
        store=store, source=none, stream=none, gone=none, encoder=none, learn=none, read_heads=none, wordings=none,
        channel=lambda kind, config: channel_for(kind, config, poster, public_url="https://watch.example"),
        intake=Intake(KEY, none), now=now, chance=lambda: 0.5, sign=partial(token, KEY),
        lease=timedelta(seconds=lease),
    )  # fmt: skip


if __name__ == "__main__":
    url, stage, seconds = sys.argv[1:]
    opened = Store(url, size=3, name="a worker of the tests")
    print(STAGES[stage](runtime(opened, float(seconds))).rows)
    opened.close()
