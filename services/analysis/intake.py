"""Makes rows of what a source brought: identity, event time with quality, pseudonym, language. Pure: must not store.

The key of the pseudonyms, the present and the language model are arguments.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.records import FetchedPost, StoredPost
from services.analysis.duplicates import key_of, letters_of
from services.analysis.identity import pseudonym
from services.analysis.publishers import publishers
from services.analysis.text import hash_of, text_for_encoder
from services.analysis.times import event_time


@dataclass(frozen=True, slots=True)
class Intake:
    """What every post of a deployment is made with."""

    author_key: bytes
    """Secret of the pseudonyms."""
    language: Callable[[str], str]
    """BCP 47 tag of a text, "und" when unsure."""

    def author(self, source: str, author: str) -> str:
        """The pseudonym of an author of a source; "" for nobody."""
        return pseudonym(self.author_key, source, author)

    def rows(self, source: str, posts: Iterable[FetchedPost], present: datetime) -> list[StoredPost]:
        """Rows for the distinct identities among `posts`, the last of each; `present` bounds their times."""
        distinct = {post.native_id: post for post in posts}
        return [self._row(source, post, present) for post in distinct.values()]

    def _row(self, source: str, post: FetchedPost, present: datetime) -> StoredPost:
        published_at, quality = event_time(post.published_at, post.published_raw, present)
        told, letters = text_for_encoder(post.text), letters_of(post.text)
        return StoredPost(
            native_id=post.native_id,
            text=post.text,
            text_hash=hash_of(told),
            unit_key=key_of(letters, post.text),
            published_at=published_at,
            time_quality=quality,
            url=post.url,
            author=self.author(source, post.author),
            lang=post.lang or self.language(told),
            repost_of=post.repost_of,
            letters=letters,
            publishers=publishers(source, post.url, post.text),
        )
