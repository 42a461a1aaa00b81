"""A framewatch as a team finds it at work: a burst going on, a gap, hostile posts, feeds of every health, a real server.

The bundled December, its frames by label; texts have vectors of the quick model that knows nothing, and heads learned on
them, so that all pages have something to show.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from schemas import codebook as codebook_file
from services.analysis.text import text_for_encoder
from services.classifier import learn_codebook
from services.classifier.noop import NoopEncoder
from services.classifier.wording import packed
from services.serve import create_app
from services.settings import Settings
from services.store import draws, feeds, scores, suggestions
from services.store.pool import Store
from tests.api import seeded
from tests.waiting import serving

HOSTILE = (
    '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 2"> "\'> {{ 7777*7777 }} \u202e reversed \u202c '
    "javascript:alert(1) https://example.org/a?b=<b>"
)
UNTIL = "2016-12-12T15"
FRAME = "staged-theatrics"


@dataclass(frozen=True, slots=True)
class House:
    """What a test may look at and ask."""

    address: str
    store: Store
    alert_id: str
    hostile_id: int
    arabic_id: int
    suggestion_id: int


def seed(store: Store) -> None:
    """Fill an empty migrated database."""
    seeded.seed_palmyra(store, UNTIL)
    with store.transaction() as tx:
        feed_id = feeds.list_feeds(tx)[0]["feed_id"]
        present = feeds.present(tx, seeded.NOW)
    at = present - timedelta(hours=1)
    seeded.add_posts(store, feed_id, [(seeded.post("hostile", HOSTILE, at, lang="en", author="ab" * 8), [FRAME])])
    _embed(store)
    _feeds(store)
    add_suggestion(store, present)
    with store.transaction() as tx:
        draws.draw_this_week(tx, seeded.NOW, seed=7)


def _embed(store: Store) -> None:
    """Vectors for every text, and heads, of the quick model."""
    encoder = NoopEncoder()
    book = codebook_file.parse((seeded.DEMO / "palmyra-2016.yaml").read_text())
    heads = learn_codebook(encoder, book, text_for_encoder)
    with store.transaction() as tx:
        model_id = scores.register_model(tx, seeded.MODEL)
        tx.execute("update models set name = %s where model_id = %s", (encoder.name, model_id))
        tx.execute("update heads set body = %s where model_id = %s", (heads.to_bytes(), model_id))
        texts = {r["text_hash"]: r["text"] for r in tx.execute("select text_hash, text from posts")}
        cleaned = [text_for_encoder(t) for t in texts.values()]
        vectors = encoder.encode(cleaned).astype(np.dtype("<f2"))
        made = zip(texts, vectors, packed(cleaned), strict=True)
        scores.add_embeddings(tx, model_id, {h: (v.tobytes(), wording) for h, v, wording in made})


def _feeds(store: Store) -> None:
    """Feeds of every health; they live in their own time too, so that the stream's present stays December 2016."""
    with store.transaction() as tx:
        for name, set_to in (
            ("failing", "failures = 4, last_reason = 'timeout', last_error = 'no answer within 20 s'"),
            ("warning", "warning = 'posts were missed between two fetches'"),
            ("paused", "state = 'paused'"),
            ("new", "heard_until = null"),
        ):
            about = {
                "source": "rss",
                "address": f"https://{name}.example.org/feed",
                "now": seeded.NOW,
                "interval_s": 900,
            }
            feed_id, _ = feeds.add_feed(tx, title=f"A feed that is {name}", clock="feed", **about)
            tx.execute(f"update feeds set {set_to} where feed_id = %s", (feed_id,))


def add_suggestion(store: Store, now: datetime) -> int:
    """A group of the posts that carry no frame, as a run would have kept it; its number."""
    with store.transaction() as tx:
        found = tx.execute(
            "select * from (select distinct on (unit_key) post_id, unit_key, published_at, lang from posts p"
            " where not exists (select from carried c where c.post_id = p.post_id) order by unit_key, post_id) t"
            " order by published_at desc limit 12"
        ).fetchall()
        terms = [{"term": t, "lang": lang, "weight": 3.0} for t, lang in (("museum store", "en"), ("музей", "ru"))]
        days = [{"posts": n, "units": n} for n in (0, 0, 1, 0, 0, 2, 1, 0, 3, 2, 4, 3, 7, 11)]
        values = {
            "state": "open", "model_id": scores.register_model(tx, "noop@1"), "vector": b"\0\0" * 384, "split_from": None,
            "first_seen": found[-1]["published_at"], "until": now, "posts": 34, "units": 29, "authors": 27, "terms": terms,
            "publishers": 4, "langs": {"en": 20, "ru": 9}, "days": days, "score": 0.62,
            "parts": {"growth": 0.8, "independence": 0.9, "coherence": 0.6, "size": 0.55, "newness": 0.4},
        }  # fmt: skip
        number = suggestions.add_suggestion(tx, "palmyra-2016", values)
        columns = {
            "unit_key": [f["unit_key"] for f in found], "post_id": [f["post_id"] for f in found],
            "inside": [i < 9 for i in range(len(found))], "likeness": [0.9 - i / 50 for i in range(len(found))],
            "lang": [f["lang"] for f in found],
        }  # fmt: skip
        suggestions.replace_members(tx, number, columns)
    return number


@contextmanager
def served(url: str, home: Path) -> Iterator[House]:
    """The seeded database behind a real server on a free port."""
    store = Store(url, size=2, name="watching")
    app = create_app(Settings(database_url=url, model="noop", home=str(home)))
    try:
        with serving(lambda _: app) as address:
            yield _house(address, store)
    finally:
        store.close()


def _house(address: str, store: Store) -> House:
    with store.transaction() as tx:
        row = tx.execute(
            "select (select alert_id from alerts where state <> 'resolved' and frame = %s order by raised_at desc limit 1)"
            " as alert_id, (select min(suggestion_id) from suggestions) as suggestion_id, (select post_id from post_keys where native_id = 'hostile') as hostile_id,"
            " (select post_id from posts where lang = 'ar' order by post_id limit 1) as arabic_id",
            (FRAME,),
        ).fetchone()
    assert row
    assert row["alert_id"], "a burst of the frame goes on"
    return House(address, store, row["alert_id"], row["hostile_id"], row["arabic_id"], row["suggestion_id"])
