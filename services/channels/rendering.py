"""A notice as text and as HTML, worded by the templates beside this file.

Everything from outside is escaped or marked as a quotation; must not send, or look anything up.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from schemas.records import Notice
from services.channels.wording import FILTERS, line, link, mend

_BLANKS = re.compile(r"\n{3,}")
_HEADLINES = {
    "burst.firing": ("Burst", "#9f2d20"),
    "burst.resolved": ("Burst over", "#2f6b3c"),
    "burst.escalated": ("Burst grows", "#9f2d20"),
    "coordinated.firing": ("One text, many accounts", "#9f2d20"),
    "coordinated.escalated": ("One text, more accounts", "#9f2d20"),
    "coordinated.resolved": ("Wave over", "#2f6b3c"),
    "gap.firing": ("Too little heard", "#8a5a00"),
    "gap.resolved": ("Heard again", "#2f6b3c"),
    "outage.firing": ("Outage", "#8a5a00"),
    "outage.resolved": ("Outage over", "#2f6b3c"),
    "digest": ("Digest", "#24476b"),
    "test": ("Test", "#24476b"),
}


def render(notice: Notice, public_url: str) -> tuple[str, str]:
    """The notice as (text, html); `public_url` is the console as readers see it, "" when they cannot."""
    text = render_text(notice.kind, notice.data, public_url)
    return text, _fill(f"{notice.kind}.html", notice.kind, notice.data, public_url)


def render_text(kind: str, data: Mapping[str, Any], public_url: str = "") -> str:
    """The text alone, of what a notice of `kind` carries."""
    return _BLANKS.sub("\n\n", _fill(f"{kind}.txt", kind, data, public_url))


def headline(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What a notice is called in a word or two, and its colour."""
    name = f"{data['kind']}.{data['state']}" if kind == "alert" else kind
    return _HEADLINES.get(name) or (line(name, 40).partition(".")[0].capitalize(), "#24476b")


def _fill(template: str, kind: str, data: Mapping[str, Any], public_url: str) -> str:
    word, colour = headline(kind, data)
    home = link(public_url).rstrip("/")
    page = link(f"{home}/alerts/{line(data['alert_id'])}") if home and kind == "alert" else home
    context = {"data": data, "word": word, "colour": colour, "home": home, "page": page}
    return mend(_environment().get_template(template).render(context))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
