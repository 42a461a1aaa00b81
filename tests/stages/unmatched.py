"""Posts that match no frame, as classify leaves them: stories are directions, everything else lies anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from services.store import codebooks, scores
from tests.stages.conftest import World

WIDTH = 256
LANGS = ("en", "ru", "ar")
SAYS = {
    "museum": {
        "en": "crates missing from the museum store",
        "ru": "пропали ящики из музея",
        "ar": "صناديق المتحف المفقودة",
    },
    "water": {
        "en": "no water in the northern pipes",
        "ru": "нет воды в северных трубах",
        "ar": "انقطاع المياه في الحي الشمالي",
    },
}


@dataclass
class Unmatched:
    """Adds posts to a world; the same name is the same direction for ever."""

    world: World
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    count: int = 0

    def story(self, name: str, count: int, at: datetime, **more: Any) -> list[int]:
        """Posts of a story, an hour apart, ending at `at`, each by its own author; their post_ids."""
        middle = np.random.default_rng(sum(map(ord, name))).normal(size=WIDTH)
        vectors = [middle / np.linalg.norm(middle) * 16 + self.rng.normal(size=WIDTH) * 0.5 for _ in range(count)]
        says = SAYS.get(name, {"en": f"everybody speaks about the {name} story"})
        langs = [list(says)[i % len(says)] for i in range(count)]
        texts = [f"{says[lang]} {self._odd()} {self._odd()} {self._odd()}" for lang in langs]
        return self.add(vectors, texts, langs, at, **more)

    def noise(self, count: int, at: datetime) -> list[int]:
        """Posts about anything, all over a fortnight."""
        vectors = [self.rng.normal(size=WIDTH) for _ in range(count)]
        texts = [" ".join(self._odd() for _ in range(6)) for _ in range(count)]
        return self.add(vectors, texts, ["en"] * count, at, step=timedelta(days=13) / max(count, 1))

    def _odd(self) -> str:
        return "".join(self.rng.choice(list("abcdefghijklmnoprstuvyz"), 8))

    def add(
        self, vectors: Sequence[Any], texts: Sequence[str], langs: Sequence[str], at: datetime, *,
        author: str | None = None, step: timedelta = timedelta(hours=1), uncertain: str = "{}", carried: bool = False,
    ) -> list[int]:  # fmt: skip
        ids = []
        with self.world.store.transaction() as tx:
            version = codebooks.current_codebooks(tx)[0]["version_id"]
            model = scores.register_model(tx, "directions")
            for i, (vector, text, lang) in enumerate(zip(vectors, texts, langs, strict=True)):
                self.count += 1
                key = self.count.to_bytes(16, "big")
                when = at - step * (len(texts) - 1 - i)
                day = self.world.clock().date()
                scores.add_embeddings(tx, model, {key * 2: (np.asarray(vector).astype("<f2").tobytes(), b"")})
                made = tx.execute(
                    "insert into post_keys (source, native_id, received_day, content_hash) values ('rss', %s, %s, '') "
                    "returning post_id", (str(self.count), day)).fetchone()  # fmt: skip
                ids.append(made["post_id"])
                tx.execute(
                    "insert into posts (received_day, post_id, feed_id, source, native_id, url, author, lang, text, "
                    "text_hash, unit_key, repost_of, publishers, published_at, time_quality, received_at) "
                    "values (%s, %s, 1, 'rss', %s, '', %s, %s, %s, %s, %s, '', '{}', %s, 'stated', %s)",
                    (
                        day,
                        ids[-1],
                        str(self.count),
                        author or f"author {self.count}",
                        lang,
                        text,
                        key * 2,
                        key,
                        when,
                        when,
                    ),
                )
                tx.execute(
                    "insert into scores (version_id, post_id, model_id, bucket, source, lang, probabilities, uncertain) "
                    "values (%s, %s, %s, %s, 'rss', %s, '{0,0}', %s)",
                    (version, ids[-1], model, when, lang, uncertain),
                )
                if carried:
                    tx.execute(
                        "insert into carried (version_id, frame, published_at, post_id, bucket, source, lang, author, "
                        "unit_key, probability) values (%s, 'staged-theatrics', %s, %s, %s, 'rss', %s, '', %s, 0.9)",
                        (version, when, ids[-1], when, lang, key),
                    )
        return ids
