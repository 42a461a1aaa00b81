"""Tables of accounts as CSV → feeds, and back: columns by their headers, whatever delimiter and encoding. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from schemas.errors import PermanentError, Reason
from services.analysis.decoding import decode_text
from services.analysis.listing import FeedList, Listed, Trouble, outline_of, read_minutes, read_options, with_outline
from services.analysis.text import clean_line

COLUMNS: Mapping[str, str] = {
    "kind": "kind platform network service type sourcetype платформа сеть тип вид المنصة",
    "address": "address url link feed feedurl rssurl xmlurl rss profile profileurl адрес ссылка رابط الرابط",
    "handle": "handle account accounts username user screenname channel аккаунт канал الحساب",
    "title": "title name displayname outlet название имя الاسم",
    "language": "language lang locale язык اللغة",
    "tags": "tags tag category categories group groups folder теги категория группа",
    "minutes": "minutes everyminutes interval every",
    "options": "options",
    "state": "state",
    "mode": "mode",
}
"""What a column means → the headers it goes by, as letters only, in lower case."""
KINDS: Mapping[str, str] = {
    "twitter": "x", "xtwitter": "x", "twitterx": "x", "tg": "telegram", "yt": "youtube", "bsky": "bluesky",
    "fediverse": "mastodon", "hn": "hackernews", "subreddit": "reddit", "web": "rss", "website": "rss", "blog": "rss",
    "news": "rss", "feed": "rss", "atom": "rss", "jsonfeed": "rss",
}  # fmt: skip
"""What people call a kind of source → its name; others are taken as they stand, in lower case."""
_ORDER = ("kind", "address", "title", "language", "tags", "minutes", "options", "state", "mode")
_DELIMITERS = ",;\t|"
_MEANING = {word: column for column, words in COLUMNS.items() for word in words.split()}
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*(?:@\S+|[a-z][a-z0-9+.-]*://\S+|[\w-]+(?:\.[\w-]+)+(?:/\S*)?|r/\w+)\s*", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
"""A cell that begins so is a formula to spreadsheets; it is written behind an apostrophe (OWASP, CSV injection)."""


def read_accounts(data: bytes) -> FeedList:
    """The feeds of a table with a header line, or of a bare list of addresses, one a line.

    Rows that cannot be used are told with their line. Raises PermanentError(BAD_INPUT) when no column holds addresses.
    """
    text = decode_text(data).replace("\0", "")
    rows, begins = _rows(text)
    header = _header(rows[0]) if rows else {}
    if not {"address", "handle"} & set(header):
        if not rows or not any(_ADDRESS.fullmatch(cell) for cell in rows[0]):
            raise PermanentError(
                Reason.BAD_INPUT,
                "line 1: no column of addresses; name the columns in the first line, such as kind,address,title,tags",
            )
        header = {"address": next(i for i, cell in enumerate(rows[0]) if _ADDRESS.fullmatch(cell))}
        rows, begins = [[], *rows], [0, *begins]
    feeds, troubles = [], []
    for row, line in zip(rows[1:], begins[1:], strict=True):
        cells = {column: _bare(row[i]) for column, i in header.items() if i < len(row)}
        if any(cell.strip() for cell in row):
            try:
                feeds.append(_listed(cells, line))
            except ValueError as error:
                troubles.append(Trouble(line, str(error)))
    unused = [cell for i, cell in enumerate(rows[0]) if i not in header.values() and cell.strip()]
    note = f"columns without a use here were left aside: {', '.join(unused)[:200]}"
    return FeedList(tuple(feeds), tuple(troubles), (note,) if unused else ())


def write_accounts(feeds: Iterable[Listed]) -> bytes:
    """`feeds` as CSV in UTF-8 with a byte order mark, by which spreadsheets know it; `read_accounts` reads it again.

    Groups become tags; attributes that a list kept for others are not in it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_ORDER)
    for feed in feeds:
        attributes, groups = outline_of(feed.options)
        tags = [*_tags(attributes.get("category", "")), *(g.get("text") or g.get("title") or "" for g in groups)]
        options = {name: value for name, value in feed.options.items() if name != "outline"}
        cells = {
            "kind": feed.kind,
            "address": feed.address,
            "title": feed.title,
            "language": attributes.get("language", ""),
            "tags": ", ".join(dict.fromkeys(filter(None, tags))),
            "minutes": f"{feed.interval_s / 60:.10g}" if feed.interval_s else "",
            "options": json.dumps(options, sort_keys=True) if options else "",
            "state": "paused" if feed.paused else "",
            "mode": feed.mode,
        }
        writer.writerow(_guarded(cells[name]) for name in _ORDER)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _listed(cells: Mapping[str, str], line: int) -> Listed:
    address = cells.get("address", "") or cells.get("handle", "")
    if not address:
        raise ValueError("no address; write one in this row, or take the row out")
    kind = "".join(cells.get("kind", "").lower().split())
    attributes = {
        "language": clean_line(cells.get("language", ""), limit_bytes=40),
        "category": ",".join(_tags(cells.get("tags", ""))),
    }
    options = read_options(cells["options"]) if cells.get("options") else {}
    return Listed(
        address,
        kind=KINDS.get(re.sub(r"[^a-z]", "", kind), kind),
        title=clean_line(cells.get("title", ""), limit_bytes=300),
        interval_s=read_minutes(cells.get("minutes", "")),
        options=with_outline(options, {k: v for k, v in attributes.items() if v}, []),
        paused=cells.get("state", "").lower() == "paused",
        mode=cells.get("mode", "").lower(),
        line=line,
    )


def _rows(text: str) -> tuple[list[list[str]], list[int]]:
    """The rows that hold something, and the line each begins in."""
    stated = _SEPARATOR_LINE.match(text)
    body, before = (text[stated.end() :], 1) if stated else (text, 0)
    rows: list[list[str]] = []
    begins: list[int] = []
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=stated[1] if stated else _delimiter(body))
    last = 0
    try:
        for row in reader:
            if row:
                rows.append(row)
                begins.append(before + last + 1)
            last = reader.line_num
    except csv.Error as error:
        raise PermanentError(
            Reason.BAD_INPUT, f"line {before + last + 1}: this row cannot be read ({error}); look for a quote too many"
        ) from None
    return rows, begins


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    cut = {d: next(csv.reader([first], delimiter=d), []) for d in _DELIMITERS}
    return max(_DELIMITERS, key=lambda d: (len(_header(cut[d])), len(cut[d])))


def _header(cells: Sequence[str]) -> dict[str, int]:
    """What the columns mean; the first of two that mean the same."""
    found: dict[str, int] = {}
    for i, cell in enumerate(cells):
        meaning = _MEANING.get("".join(filter(str.isalpha, cell.lower())))
        if meaning:
            found.setdefault(meaning, i)
    return found


def _tags(text: str) -> list[str]:
    found = (clean_line(tag.strip().lstrip("#"), limit_bytes=100) for tag in re.split(r"[,;|]", text))
    return [*dict.fromkeys(filter(None, found))]


def _bare(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
