"""The comments below one video, newest thread first: a pass from the newest page back to what is known. Pure.

`floor` is the newest comment of the last finished pass. A pass keeps where it stands (`page`), where it began
(`ceiling`), and the threads whose replies it still owes (`owed`). The counts of the newest threads' replies (`replies`)
tell which of them were answered since; answers to threads beyond the newest hundred are not noticed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost, Page
from services.analysis.text import clean_line, html_to_text
from services.analysis.times import parse_time
from services.sources.reading import at, make_post, many, word

FIRST_PAGES = 10
"""Pages (of 100 threads) taken of a video never read before; the feed's option `pages` says otherwise."""
_MAX_KEPT = 100
_MAX_WORD = 500
_PUBLISHED = ("snippet", "publishedAt")


@dataclass(frozen=True, slots=True)
class Pass:
    """Where reading one video's comments stands."""

    video: str
    floor: str = ""
    ceiling: str = ""
    page: str = ""
    pages: int = 0
    owed: tuple[str, ...] = ()
    owed_page: str = ""
    replies: Mapping[str, int] | None = None

    def cursor(self) -> dict[str, Any]:
        """The pass as a cursor keeps it."""
        kept = {"video": self.video, "floor": self.floor, "ceiling": self.ceiling, "page": self.page}
        kept |= {"owed_page": self.owed_page}
        whole = {"pages": self.pages, "owed": list(self.owed), "replies": dict(self.replies or {})}
        return {name: value for name, value in {**kept, **whole}.items() if value}


def read_cursor(cursor: Mapping[str, Any], video: str) -> Pass:
    """The pass that `cursor` keeps; a new one when it is another video's or damaged."""
    if cursor.get("video") != video:
        return Pass(video)
    floor, ceiling = (text if parse_time(text) else "" for text in (word(cursor, "floor"), word(cursor, "ceiling")))
    pages, replies = cursor.get("pages"), cursor.get("replies")
    return Pass(
        video,
        floor,
        ceiling,
        word(cursor, "page"),
        pages if isinstance(pages, int) and pages > 0 else 0,
        tuple(o for o in many(cursor, "owed") if isinstance(o, str)),
        word(cursor, "owed_page"),
        {k: n for k, n in replies.items() if isinstance(n, int)} if isinstance(replies, dict) else {},
    )


def read_threads(answer: Any, video: str = "") -> Page:
    """The comments in an answer of `commentThreads` or `comments`. Raises PermanentError(NOT_A_FEED)."""
    if not isinstance(at(answer, "items"), list):
        raise PermanentError(Reason.NOT_A_FEED, "This holds no list of YouTube comments.")
    dropped: Counter[str] = Counter()
    posts: list[FetchedPost] = []
    for item in many(answer, "items"):
        for comment in _comments(item):
            post = _post(comment, word(item, "snippet", "videoId") or video)
            if isinstance(post, str):
                dropped[post] += 1
            else:
                posts.append(post)
    return Page(posts=tuple(posts), dropped=dict(dropped))


def after_threads(answer: Mapping[str, Any], state: Pass, first_pages: int) -> Page:
    """The page of threads in `answer`, with the cursor that follows from it."""
    threads = many(answer, "items")
    times = [moment for thread in threads if (moment := word(thread, "snippet", "topLevelComment", *_PUBLISHED))]
    newest = max([t for t in (state.ceiling, *times) if parse_time(t)], key=_moment, default="")
    pages, token = state.pages + 1, _line(answer, "nextPageToken")
    # The last thread decides, as one pinned at the top may be old.
    reached = bool(state.floor and times and parse_time(times[-1]) and _moment(times[-1]) <= _moment(state.floor))
    done = not token or reached or (not state.floor and pages >= first_pages)
    known = state.replies or {}
    counts = {_line(thread, "id"): _count(thread) for thread in threads}
    owed = tuple(dict.fromkeys((*state.owed, *_answered(threads, known))))
    kept = known if state.page else dict([*counts.items()][:_MAX_KEPT])
    after = replace(state, replies=kept, owed=owed, owed_page="", page=token, pages=pages, ceiling=newest)
    if done:
        floor = max([t for t in (state.floor, newest) if t], key=_moment, default="")
        after = replace(after, floor=floor, ceiling="", page="", pages=0)
    return replace(read_threads(answer, state.video), cursor=after.cursor(), more=not done or bool(owed))


def after_replies(answer: Mapping[str, Any], state: Pass) -> Page:
    """The page of replies in `answer` to the first thread owed, with the cursor that follows from it."""
    token = _line(answer, "nextPageToken")
    after = replace(state, owed_page=token, owed=state.owed if token else state.owed[1:])
    return replace(read_threads(answer, state.video), cursor=after.cursor(), more=bool(after.owed or after.page))


def _comments(item: Any) -> Iterable[Any]:
    top = at(item, "snippet", "topLevelComment")
    return [item] if top is None else [top, *many(item, "replies", "comments")]


def _post(comment: Any, video: str) -> FetchedPost | str:
    identity, snippet = word(comment, "id"), at(comment, "snippet")
    video = word(snippet, "videoId") or video
    return make_post(
        identity,
        word(snippet, "textOriginal") or html_to_text(word(snippet, "textDisplay")),
        published=word(snippet, "publishedAt"),
        url=f"https://www.youtube.com/watch?v={video}&lc={identity}" if video and identity else "",
        author=word(snippet, "authorChannelId", "value"),
    )


def _answered(threads: list[Any], known: Mapping[str, int]) -> list[str]:
    """The threads with more replies than came along with them, unless we have had so many before."""
    found = []
    for thread in threads:
        identity, count = _line(thread, "id"), _count(thread)
        if identity and count > len(many(thread, "replies", "comments")) and count != known.get(identity):
            found.append(identity)
    return found


def _count(thread: Any) -> int:
    count = at(thread, "snippet", "totalReplyCount")
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _line(value: Any, name: str) -> str:
    return clean_line(word(value, name), limit_bytes=_MAX_WORD)


def _moment(text: str) -> Any:
    return parse_time(text)
