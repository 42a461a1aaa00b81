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
from services.channels.wording import FILTERS, headline, line, link, mend

_BLANKS = re.compile(r"\n{3,}")


def render(notice: Notice, public_url: str) -> tuple[str, str]:
    """The notice as (text, html); `public_url` is the console as readers see it, "" when they cannot."""
    text = render_text(notice.kind, notice.data, public_url)
    return text, _fill(f"{notice.kind}.html", notice.kind, notice.data, public_url)


def render_text(kind: str, data: Mapping[str, Any], public_url: str = "") -> str:
    """The text alone, of what a notice of `kind` carries."""
    return _BLANKS.sub("\n\n", _fill(f"{kind}.txt", kind, data, public_url))


def _fill(template: str, kind: str, data: Mapping[str, Any], public_url: str) -> str:
    word, colour = headline(data["kind"], data["state"]) if kind == "alert" else headline(kind)
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
