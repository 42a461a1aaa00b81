"""Posts as JSON lines, plain or gzip: read one at a time, mistakes told with file and line."""

import gzip
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.text import clean_text

Post = dict[str, Any]


def read(path: Path) -> Iterator[Post]:
    """Posts of a file; `text` is cleaned. Raises PermanentError(BAD_INPUT) naming the line that is no post."""
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _post(path, number, line)
    except (OSError, EOFError) as error:
        raise PermanentError(Reason.BAD_INPUT, f"{path}: cannot read it after line {number}: {error}") from error


def batches(posts: Iterable[Post], size: int) -> Iterator[list[Post]]:
    """Posts by the batch."""
    posts = iter(posts)
    while batch := list(islice(posts, size)):
        yield batch


def _post(path: Path, number: int, line: str) -> Post:
    try:
        post = json.loads(line)
    except ValueError as error:
        raise PermanentError(Reason.BAD_INPUT, f"{path}:{number}: this line is not JSON: {error}") from error
    if not isinstance(post, dict) or not isinstance(post.get("text"), str) or post.get("id") in (None, ""):
        raise PermanentError(Reason.BAD_INPUT, f'{path}:{number}: a post needs "id" and "text", such as {_EXAMPLE}')
    return {**post, "id": str(post["id"]), "text": clean_text(post["text"])[0]}


_EXAMPLE = '{"id": "1", "text": "…", "published_at": "2016-12-11T10:00:00Z"}'
