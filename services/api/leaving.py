"""Where readers leave a digest: open to whoever holds the signed word of a mail, as RFC 8058 wants it.

Looking changes nothing: scanners of mail follow every link. Only a POST takes the reader off.
"""

from collections.abc import Mapping
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from services.api.routes import Means, means
from services.store import digests

leaving = APIRouter(prefix="/leave", include_in_schema=False)
With = Annotated[Means, Depends(means)]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
body {{ margin: 0; font: 17px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }}
main {{ max-width: 30rem; margin: 15vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; }}
button {{ font: inherit; font-weight: 600; padding: 0.6rem 1.2rem; border: 0; border-radius: 4px; cursor: pointer;
  background: #1f4e79; color: #fff; }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""


@leaving.get("/{token}")
def ask(by: With, request: Request, token: str) -> Response:
    """A page that asks whether to leave; 404 for a word that is not ours or a digest that is gone."""
    reader = _reader(by, request, token)
    if reader is None:
        return _unknown()
    name, address = escape(reader["digest"]), escape(reader["address"])
    if reader["unsubscribed_at"] is not None:
        return _page("You have left this digest", f"<p>{address} gets no more mail of the digest “{name}”.</p>")
    body = f"<p>{address} will get no more mail of the digest “{name}”. Alerts are not touched by this.</p>"
    return _page("Leave this digest?", body + '<form method="post"><button>Leave the digest</button></form>')


@leaving.post("/{token}")
def leave(by: With, request: Request, token: str) -> Response:
    """Take the reader off, whether a person pressed the button or a mail program did; a second time changes nothing."""
    number = request.app.state.reader_of(token)
    with by.store.transaction() as tx:
        reader = None if number is None else digests.unsubscribe(tx, number, by.now())
    if reader is None:
        return _unknown()
    told = f"<p>{escape(reader['address'])} gets no more mail of the digest “{escape(reader['digest'])}”.</p>"
    undo = "<p>To read it again, ask whoever runs framewatch here.</p>"
    return _page("You have left this digest", told + undo)


def _reader(by: Means, request: Request, token: str) -> Mapping[str, Any] | None:
    number = request.app.state.reader_of(token)
    if number is None:
        return None
    with by.store.transaction() as tx:
        return digests.find_reader(tx, number)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status, headers=_HEADERS)


def _unknown() -> HTMLResponse:
    return _page("This link leads nowhere", "<p>It is not one of ours, or the digest is no longer there.</p>", 404)
