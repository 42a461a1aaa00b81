"""A notice as text and as HTML with its pictures, worded by the templates beside this file.

Everything from outside is escaped or marked as a quotation; must not send, or look anything up.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from schemas.records import Notice
from services.analysis.courses import KINDS, course
from services.analysis.headlines import news
from services.analysis.naming import VOICE
from services.analysis.sparkline import sparkline
from services.channels import charts
from services.channels.wording import FILTERS, line, link, mend, stable_id

MOST_BYTES = 95_000
"""Of HTML: Gmail cuts a mail off at 102 kB, and nobody reads the second half of a digest that came in two."""
_LENGTHS = (40, 20, 10, 5, 2)
"""How many items a list shows: the first that makes the mail short enough."""
_WIDE = 56
_UNTOLD = {"alert": None, "condition": "", "detail": "", "against": ""}
"""What digests of before did not say of a frame: some may still wait to be sent."""
_BLANKS = re.compile(r"\n{3,}")
_HEADLINES = {
    "burst.firing": ("Burst", "#9f2d20"),
    "burst.resolved": (f"{KINDS['burst']} {course('resolved')}", "#2f6b3c"),
    "burst.escalated": ("Burst has grown", "#9f2d20"),
    "coordinated.firing": ("One text, many authors", "#9f2d20"),
    "coordinated.escalated": ("One text, more authors", "#9f2d20"),
    "coordinated.resolved": (f"{KINDS['coordinated']} {course('resolved')}", "#2f6b3c"),
    "gap.firing": ("Too little heard", "#8a5a00"),
    "gap.resolved": (f"{KINDS['gap']} {course('resolved')}", "#2f6b3c"),
    "outage.firing": ("Outage", "#8a5a00"),
    "outage.resolved": (f"{KINDS['outage']} {course('resolved')}", "#2f6b3c"),
    "digest": ("Digest", "#24476b"),
    "test": ("Test", "#24476b"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a digest: how HTML names it, its bytes, what it shows in words and as a line of text."""

    cid: str
    png: bytes
    alt: str
    line: str
    since: str
    width: int = charts.SHOWN[0]


def render(notice: Notice, public_url: str) -> tuple[str, str]:
    """The notice as (text, html); `public_url` is the console as readers see it, "" when they cannot."""
    text, html, _ = render_all(notice, public_url)
    return text, html


def render_all(notice: Notice, public_url: str) -> tuple[str, str, tuple[Picture, ...]]:
    """The notice as (text, html, pictures); the HTML names each picture by `cid:`."""
    if notice.kind != "digest":
        text = render_text(notice.kind, notice.data, public_url)
        return text, _fill(f"{notice.kind}.html", notice.kind, notice.data, public_url), ()
    drawn = _pictures(notice)
    for most in _LENGTHS:
        more = {"most": most, "pictures": drawn}
        html = _inliner().inline(_fill("digest.html", notice.kind, notice.data, public_url, **more))
        if len(html.encode()) <= MOST_BYTES:
            break
    text = _BLANKS.sub("\n\n", _fill("digest.txt", notice.kind, notice.data, public_url, **more))
    return text, html, tuple(drawn.values())


def page(notice: Notice, public_url: str) -> str:
    """The HTML with its pictures inside, to open in a browser."""
    _, html, pictures = render_all(notice, public_url)
    for one in pictures:
        html = html.replace(f"cid:{one.cid}", f"data:image/png;base64,{b64encode(one.png).decode()}")
    return html


def render_text(kind: str, data: Mapping[str, Any], public_url: str = "") -> str:
    """The text alone, of what a notice of `kind` carries."""
    more = {"most": _LENGTHS[0], "pictures": {}} if kind == "digest" else {}
    return _BLANKS.sub("\n\n", _fill(f"{kind}.txt", kind, data, public_url, **more))


def headline(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What a notice is called in a word or two, and its colour."""
    name = f"{data['kind']}.{data['state']}" if kind == "alert" else kind
    return _HEADLINES.get(name) or (line(name, 40).partition(".")[0].capitalize(), "#24476b")


def _pictures(notice: Notice) -> dict[tuple[str, str], Picture]:
    """By frame and codebook: a picture of each frame that has a chart."""
    about, drawn = stable_id(notice.message_id), {}
    for number, frame in enumerate(f for f in notice.data["frames"] if f.get("chart")):
        chart = frame["chart"]
        drawn[frame["id"], frame["codebook"]] = Picture(
            cid=f"chart{number}.{about}@framewatch",
            png=charts.png(chart),
            alt=charts.alt(frame["title"], chart, notice.data["timezone"]),
            line=sparkline(chart["units"], _WIDE),
            since=chart["from"],
        )
    return drawn


def _fill(template: str, kind: str, data: Mapping[str, Any], public_url: str, **more: Any) -> str:
    word, colour = headline(kind, data)
    home = link(public_url).rstrip("/")
    page = link(f"{home}/alerts/{line(data['alert_id'])}") if home and kind == "alert" else home
    context = {"data": data, "word": word, "colour": colour, "home": home, "page": page, **more}
    if kind == "digest":
        frames = [{**_UNTOLD, **frame} for frame in data["frames"]]
        context |= {"data": {**data, "frames": frames}, "news": news(data), "leave": leave_link(data, public_url)}
    return mend(_environment().get_template(template).render(context))


def leave_link(data: Mapping[str, Any], public_url: str) -> str:
    """Where the reader of this digest can leave it; "" when they cannot by a link."""
    home = link(public_url).rstrip("/")
    return link(f"{home}/leave/{data['leave']}") if home and data.get("leave") else ""


@cache
def _inliner() -> CSSInliner:
    """Styles go to the elements, for mail programs that know no style sheet; what asks for the screen stays one."""
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS | {"course": course}
    environment.globals["VOICE"] = VOICE
    return environment
