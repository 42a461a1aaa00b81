"""A notice as chats show it: a headline, a few sentences, a few posts. Plain text, every piece of it tamed.

Must not build any service's markup: each kind of channel escapes for its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.records import Notice
from services.analysis.courses import course
from services.analysis.headlines import news
from services.analysis.naming import many, number
from services.channels import wording
from services.channels.rendering import headline
from services.channels.wording import line, link, percent, post, sides, tame, when

QUOTES = 3
_QUOTE = 280
_LINE = 500
_FRAMES = 12
_TOGETHER = 6


@dataclass(frozen=True, slots=True)
class Brief:
    """One notice in short; nothing in it is markup, and nothing but `page` is a link."""

    word: str
    """Burst, Burst over, Digest, …"""
    title: str
    lines: tuple[str, ...]
    """Our own sentences."""
    quotes: tuple[str, ...]
    """Post texts, each on several lines at most."""
    page: str
    """Where to read more, "" when readers cannot reach the console."""
    colour: str
    """As #rrggbb."""
    urgent: bool
    """Whether it tells of something that goes on now."""
    message_id: str
    """Stable for ever, in plain ASCII: how a reader knows a repeat."""

    def text(self, limit: int = 3500) -> str:
        """All of it as plain text of at most `limit` characters of UTF-16, posts given up first."""
        head = [f"{self.word}: {self.title}", *self.lines]
        tail = [part for part in (self.page, f"Message {self.message_id}") if part]
        quotes = [mark(quote) for quote in self.quotes]
        while _size(whole := "\n\n".join(["\n".join(head), *quotes, "\n".join(tail)])) > limit and quotes:
            quotes.pop()
        return whole if _size(whole) <= limit else "\n\n".join([_cut("\n".join(head), limit // 2), "\n".join(tail)])


def brief(notice: Notice, public_url: str) -> Brief:
    """The notice in short; `public_url` is the console as readers see it, "" when they cannot."""
    data = notice.data
    is_alert = notice.kind == "alert"
    word, colour = headline(notice.kind, data)
    home = link(public_url).rstrip("/")
    page = link(f"{home}/alerts/{line(data['alert_id'])}") if home and is_alert else home
    title, lines = _TOLD[notice.kind](data)
    return Brief(
        word=word,
        title=tame(line(title)) or "framewatch",
        lines=tuple(tame(line(one, _LINE)) for one in lines if one),
        quotes=tuple(tame(post(item.get("text", ""), _QUOTE)) for item in (data.get("typical") or [])[:QUOTES]),
        page=page,
        colour=colour,
        urgent=is_alert and course(data["state"]) == "goes on",
        message_id=wording.stable_id(notice.message_id),
    )


def mark(quote: str) -> str:
    """A post with every line marked as quoted, so that it cannot pass for one of ours."""
    return "\n".join(f"| {row}".rstrip() for row in quote.splitlines())


def _alert(data: Mapping[str, Any]) -> tuple[str, list[str]]:
    span = f"{when(data['onset'])} – {when(data['until'])}"
    told = [line(data["reason"], _LINE), f"When: {span}, {course(data['state'])}"]
    if why := (data.get("escalation") or {}).get("why"):
        told.append(f"Told again because {line(why)}")
    if data["kind"] not in ("outage", "gap"):
        told += _measured(data)
    together = data.get("together") or []
    told += [f"Also: {line(other['reason'], 300)}" for other in together[:_TOGETHER]]
    more = len(together) - _TOGETHER
    return data["frame"]["title"], told + ([f"… and {many(more, 'more alert')}"] if more > 0 else [])


def _measured(data: Mapping[str, Any]) -> Iterator[str]:
    counts, expected, coverage = data.get("counts"), data.get("expected"), data.get("coverage")
    if counts:
        yield (
            f"Seen: {many(counts.get('posts'), 'post')}, {many(counts.get('texts'), 'distinct text')}, "
            f"{many(counts.get('authors'), 'author')}, {many(counts.get('publishers'), 'publisher')}"
        )
    if counts and expected and data["kind"] == "burst":
        seen, usual = number(counts.get("units")), number(expected.get("units"))
        yield f"Voices: {seen} where {usual} were expected (usual at most {number(expected.get('upper'))})"
    if coverage is not None and coverage < 1:
        yield f"Coverage {percent(coverage)}: not every feed was heard; what is missing is unknown, not zero"
    if quality := data.get("quality"):
        yield f"The frame: {line(quality['told'])}"
    if stances := data.get("stances"):
        yield f"Stance (experimental): {sides(stances)}"
    if sources := data.get("sources"):
        yield "Sources: " + ", ".join(f"{line(s['source'], 40)} {number(s['posts'])}" for s in sources[:6])


def _digest(data: Mapping[str, Any]) -> tuple[str, list[str]]:
    totals, period = data["totals"], data["period"]
    told = [
        news(data),
        f"{when(period['from'])} – {when(period['until'])}",
        f"{many(totals['posts'], 'post')}, of which {number(totals['carrying'])} carry a frame",
    ]
    if data["coverage"] is None:
        told.append("No feed was enabled: what was said in this time is unknown, not nothing")
    elif data["coverage"] < 1:
        told.append(f"Coverage {percent(data['coverage'])}: what is missing is unknown, not zero")
    told += [f"Alert {course(a['state'])}: {line(a['title'])}, since {when(a['onset'])}" for a in data["alerts"][:8]]
    for frame in data["frames"][:_FRAMES]:
        said = f"{frame['condition']}, " if frame.get("condition") else ""
        told.append(f"{line(frame['title'])}: {said}{many(frame['posts'], 'post')}, {percent(frame['share'])}")
    more = len(data["frames"]) - _FRAMES
    return data["digest"], told + ([f"… and {many(more, 'more frame')}"] if more > 0 else [])


def _test(data: Mapping[str, Any]) -> tuple[str, list[str]]:
    return f"this is a test of {line(data['channel'])}", ["Nothing happened; messages of framewatch arrive here."]


_TOLD = {"alert": _alert, "digest": _digest, "test": _test}


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, limit: int) -> str:
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore") + "…"
