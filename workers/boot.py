"""Composition root of a worker process: settings become a Runtime, a task becomes one run of a stage, counted."""

import logging
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from kombu.exceptions import OperationalError

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services import settings
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.analysis.text import text_for_encoder
from services.analysis.unsubscribing import token
from services.fetch import Fetcher
from services.store import counts, feeds
from services.store.clock import SharedClock
from services.store.pool import Store
from workers.app import app
from workers.runtime import Gone, Hubs, Outcome, Reading, Runtime
from workers.schedule import QUEUES

EX_CONFIG = 78
"""Exit status that tells a supervisor not to start this process again (sysexits.h)."""
TOGETHER_S = {"rollup": 0.3, "detect": 1.0}
"""Nudges of these stages wait this long for others to join them: one run then serves many batches."""
QUIET_S = 15.0
"""A run that found nothing is written down this seldom, so that an idle house writes next to nothing."""

# A nudge that nobody hears costs nothing; kombu would try for six seconds, and the work would stand still meanwhile.
app.conf.broker_transport_options = {**app.conf.broker_transport_options, "max_retries": 0}

log = logging.getLogger("framewatch")
_written: dict[str, float] = {}
_nudged_until: dict[str, float] = {}
_stopping = threading.Event()


@cache
def runtime() -> Runtime:
    """The Runtime of this process, made at first use: after any fork, and only where a task runs."""
    from services.channels import channel_for
    from services.classifier import Heads, StanceReader, Stored, learn_codebook, learn_stance, lesson_name, load_encoder
    from services.classifier.wording import packed
    from services.sources import Known, Means, is_billed, rechecking, source_for, stream_for
    from services.sources.language import guess

    conf = settings.load()
    home = settings.home_of(conf)
    fetcher = Fetcher(allow_networks=conf.allow_networks, contact=conf.contact, proxy=conf.proxy)
    files = Path(conf.files) if conf.files else home / "files"
    store = Store(settings.database_url(conf), size=12, name="framewatch worker")
    means = Means(fetcher, files, keys=settings.source_keys(conf), ledger=partial(ledger, store))

    def gone(kind: str) -> Gone | None:
        source = rechecking(kind, means)
        if source is None:
            return None
        return Gone(lambda posts: source.gone([Known(*post) for post in posts]), billed=is_billed(kind))

    reading = Reading(
        lesson_name(), lambda encoder: learn_stance(encoder, text_for_encoder), StanceReader.from_bytes
    )  # fmt: skip
    return Runtime(
        store=store,
        reading=reading if settings.stance_on(conf) else None,
        gone=cache(gone),
        source=cache(lambda kind: source_for(kind, means)),
        stream=cache(lambda kind: stream_for(kind, means)),
        channel=lambda kind, config: channel_for(kind, config, fetcher, public_url=conf.public_url),
        encoder=cache(lambda: load_encoder(conf.model, home / "models", conf.threads, conf.device)),
        learn=lambda encoder, codebook, heard: learn_codebook(
            encoder, codebook, text_for_encoder, Stored(*heard) if heard else None
        ),
        read_heads=Heads.from_bytes,
        wordings=packed,
        intake=Intake(settings.author_key(conf), guess),
        now=SharedClock(store),
        chance=random.random,
        sign=partial(token, settings.author_key(conf)),
        lease=timedelta(seconds=conf.lease_seconds),
        hubs=_hubs(fetcher, conf.public_url),
        host_gap=timedelta(seconds=conf.host_gap_seconds),
        stopping=_stopping.is_set,
        nudge=nudge,
        rule=Rule(budget=conf.budget, learning=timedelta(days=conf.learning_days)),
        keep_versions=conf.keep_versions,
    )


def run_stage(stage: str, work: Callable[[Runtime], Outcome]) -> None:
    """Run a stage once, write down what it did, and nudge whoever has work now. A stopping process begins nothing."""
    if _stopping.is_set():
        return
    began = time.monotonic()
    try:
        outcome = work(runtime())
    except TransientError as error:
        log.warning("stage_waits", extra={"stage": stage, "reason": error.reason.value, "told": str(error)})
        _record(stage, Outcome(failures=1), time.monotonic() - began, str(error))
        return
    except FramewatchError as error:
        log.exception("stage_failed", extra={"stage": stage, "reason": error.reason.value})
        _record(stage, Outcome(failures=1), time.monotonic() - began, str(error))
        return
    except Exception as error:
        # A bug: counted where operators look, and as loud as ever. The lease brings its rows back.
        _record(stage, Outcome(failures=1), time.monotonic() - began, f"{type(error).__name__}: {error}")
        raise
    _record(stage, outcome, time.monotonic() - began, None)
    for name in (*outcome.wake, *((stage,) if outcome.again else ())):
        nudge(name)


def nudge(stage: str) -> None:
    """Say that a stage has work. Saying it is all: when nobody hears, the next tick finds the rows."""
    now, wait = time.monotonic(), TOGETHER_S.get(stage, 0.0)
    if now < _nudged_until.get(stage, now):
        return
    _nudged_until[stage] = now + wait
    try:
        app.send_task(stage, queue=QUEUES[stage], countdown=wait or None, expires=60, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("nudge_lost", extra={"stage": stage, "told": str(error)})


def _record(stage: str, outcome: Outcome, seconds: float, error: str | None) -> None:
    idle = not (outcome.rows or outcome.failures or outcome.fenced_off)
    if idle and time.monotonic() - _written.get(stage, -QUIET_S) < QUIET_S:
        return
    _written[stage] = time.monotonic()
    told: dict[str, Any] = {"rows": outcome.rows, "failures": outcome.failures, "fenced_off": outcome.fenced_off}
    if not idle:
        log.info("stage_ran", extra={"stage": stage, "seconds": round(seconds, 3), **told})
    try:
        with runtime().store.transaction() as tx:
            counts.record_run(tx, stage, **told, seconds=seconds, now=runtime().now(), error=error)
    except TransientError as lost:
        log.warning("run_not_written", extra={"stage": stage, "told": str(lost)})


def _hubs(fetcher: Fetcher, public_url: str) -> Hubs | None:
    from services.sources.rss import websub

    if not public_url:
        return None

    def request(topic: str, token: str, secret: str) -> bytes:
        callback = f"{public_url.rstrip('/')}/websub/{token}"
        return websub.request_body("subscribe", topic=topic, callback=callback, secret=secret)

    return Hubs(request, lambda *asked: fetcher.post(*asked).status, lambda: secrets.token_urlsafe(24))


def ledger(store: Store, name: str, units: int, limit: int) -> bool:
    """Spend on an account that all workers share."""
    with store.transaction() as tx:
        return feeds.spend(tx, name, units, limit)


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _stopping.set()


@worker_ready.connect
def _warm_up(sender: Any = None, **_: Any) -> None:
    """The model worker loads its model before its first post; without one it cannot work, and says so."""
    try:
        queues = set(sender.task_consumer.queues and [q.name for q in sender.task_consumer.queues])
        if QUEUES["classify"] in queues:
            log.info("model_loaded", extra={"model": runtime().encoder().name})
        else:
            runtime()
    except PermanentError as error:
        log.critical("cannot_start", extra={"reason": error.reason.value, "told": str(error)})
        sys.exit(EX_CONFIG if error.reason in (Reason.BAD_CONFIG, Reason.MODEL_UNAVAILABLE) else 1)
