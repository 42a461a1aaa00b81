"""Explore: describe something or paste posts, and see its history on stored posts as if it were a frame."""

import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas.codebook import Frame
from schemas.errors import FramewatchError, PermanentError, Reason
from services.analysis.editing import add_frame
from services.analysis.likeness import STRICTNESS
from services.analysis.moving import movement
from services.analysis.naming import many
from services.console import chart, plot
from services.console.desk import desk_of, page
from services.console.forms import Form
from services.console.pages import codebooks
from services.store import codebooks as codebook_rows
from services.usecases.exploring import HOUR, Asked, Exploration, explore

MOST = 60_000
"""Bytes of the form."""
POSTS = 50
"""Pasted posts that are read."""
PERIODS = {"3": "3 days", "7": "7 days", "14": "14 days", "30": "30 days", "90": "90 days"}
ENOUGH = 8
"""Examples from which a frame is learned well."""
NAMED = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Question:
    """The form, as it was filled in."""

    description: str = ""
    posts: str = ""
    unlike: str = ""
    days: str = "14"
    strictness: str = "usual"

    @property
    def like(self) -> tuple[str, ...]:
        """Description and posts."""
        return (*filter(None, [self.description.strip()]), *pasted(self.posts))


def pasted(text: str) -> tuple[str, ...]:
    """Posts as people paste them: set apart by empty lines where there are any, else one a line."""
    parts = NAMED.split(text.strip()) if NAMED.search(text.strip()) else text.splitlines()
    return tuple(part.strip() for part in parts if part.strip())[:POSTS]


def read(form: Form) -> Question:
    """What a form asks; what is not known is the usual."""
    days, strictness = form.get("days", "14"), form.get("strictness", "usual")
    return Question(
        form.get("description", ""), form.get("posts", ""), form.get("unlike", ""),
        days if days in PERIODS else "14", strictness if strictness in STRICTNESS else "usual",
    )  # fmt: skip


def form(request: Request) -> Response:
    """The form, empty or as a link filled it in."""
    return _page(request, read(dict(request.query_params)))


def look(request: Request, given: Form) -> Response:
    """The form with what was found."""
    desk, question = desk_of(request), read(given)
    asked = Asked(question.like, pasted(question.unlike), int(question.days), question.strictness)
    try:
        found = explore(desk.store, desk.borrow, asked, rule=desk.rule, wall=desk.now())
    except FramewatchError as error:
        if error.reason is Reason.DATABASE_UNAVAILABLE:
            raise
        status = 400 if error.reason is Reason.BAD_INPUT else 503
        return _page(request, question, status=status, missing=str(error).rstrip("."))
    with desk.store.transaction() as tx:
        books = [c["codebook"] for c in codebook_rows.current_codebooks(tx)]
    return _page(request, question, books=books, **_told(found))


def save(request: Request, form: Form) -> Response:
    """The codebook with what was explored as one more frame, in the editor; nothing is stored yet."""
    desk = desk_of(request)
    title, description = form.get("title", "").strip(), form.get("description", "").strip()
    chosen = [text for name, text in form.items() if name.startswith("example-") and text.strip()]
    examples = tuple(dict.fromkeys([*pasted(form.get("posts", "")), *chosen]))
    if not title or not description or not examples:
        raise PermanentError(Reason.BAD_INPUT, "give a title, a description and at least one post that tells it")
    try:
        frame = Frame(
            id=slug(title), title=title, description=description, examples=examples,
            counterexamples=tuple(t for t in pasted(form.get("unlike", "")) if t not in examples),
        )  # fmt: skip
    except ValueError:
        raise PermanentError(Reason.BAD_INPUT, "the title or one of the posts is too long for a codebook") from None
    text = add_frame(codebooks.current_text(desk, form.get("codebook", "")), frame)
    few = (
        "" if len(examples) >= ENOUGH else f" It has {many(len(examples), 'example')}: {ENOUGH} or more make it sharp."
    )
    return codebooks.proposed(
        request, text, f"The frame {frame.id} is the last in this text.{few} Preview it, then apply."
    )


def slug(title: str) -> str:
    """An id made of a title's Latin letters and digits; of one that has none, of its hash."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    found = "-".join(re.findall("[a-z0-9]+", plain))[:60].strip("-")
    return found or f"frame-{sha256(title.encode()).hexdigest()[:8]}"


def _told(found: Exploration) -> dict[str, Any]:
    parts = {
        by: [{by: name, "posts": n} for name, n in sorted(of.items(), key=lambda i: -i[1])[:6]]
        for by, of in found.parts.items()
    }
    week = [p for p in found.points if (found.present - p.at).days < 7]
    return {"found": found, "chart": chart.draw(found.points), "shares": parts, "present": found.present,
            "columns": plot.columns(found.points, measure="units", step=HOUR), "moved": movement(week)}  # fmt: skip


def _page(request: Request, question: Question, *, status: int = 200, **told: Any) -> Response:
    return page(request, "explore.html", status=status, question=question, periods=PERIODS,
                strictness=tuple(STRICTNESS), **told)  # fmt: skip
