"""python -m tests.stages.rescore_worker URL: a worker that classifies, scores again and rolls up until it is killed."""

import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.analysis.text import text_for_encoder
from services.classifier import Heads, learn_codebook
from services.classifier.noop import NoopEncoder
from services.classifier.wording import packed
from services.store.clock import SharedClock
from services.store.pool import Store
from tests.api import seeded
from workers.runtime import Runtime
from workers.stages.classify import classify
from workers.stages.rescore import rescore
from workers.stages.rollup import rollup


def runtime(store: Store, **more: Any) -> Runtime:
    return replace(
        seeded.runtime(store), encoder=NoopEncoder, read_heads=Heads.from_bytes, wordings=packed,
        learn=lambda encoder, book, _: learn_codebook(encoder, book, text_for_encoder), **more,
    )  # fmt: skip


def main() -> None:
    store = Store(sys.argv[1], size=4, name="doomed", statement_timeout_s=20)
    rt = runtime(store, now=SharedClock(store), lease=timedelta(seconds=1))
    while True:
        if not (classify(rt).rows + rescore(rt).rows + rollup(rt).rows):
            time.sleep(0.05)


if __name__ == "__main__":
    main()
