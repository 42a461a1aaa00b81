"""Forms that change something: read within bounds, only from our own pages, and answered by a page to go on to.

Who may read is the session's to say; this says that a request to change something was made on one of our pages.
"""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schemas.errors import PermanentError, Reason

MOST = 4096
"""Bytes of a form that are read, unless its page expects more."""
FIELDS = 32
SAFE = ("GET", "HEAD", "OPTIONS")
Form = dict[str, str]


def is_ours(request: Request) -> bool:
    """Whether a request may change something: sent by one of our pages, or by a program that shows the token.

    By Fetch Metadata, else by the Origin, as OWASP's advice and Go's net/http.CrossOriginProtection have it; a browser
    that sends neither is older than both and may not.
    """
    # A browser adds no bearer token by itself; Basic, which a proxy may ask for, it does.
    if request.method in SAFE or request.headers.get("authorization", "").lower().startswith("bearer "):
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    try:
        return bool(origin) and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False


def posted(answer: Callable[[Request, Form], Response], *, most: int = MOST) -> Callable[[Request], object]:
    """The endpoint of a form: `answer` is given its fields, off the event loop. Raises PermanentError(BAD_INPUT)."""

    async def endpoint(request: Request) -> Response:
        form = await read(request, most)
        if form is None:
            raise PermanentError(Reason.BAD_INPUT, f"the form could not be read, or holds more than {most:,} bytes")
        return await run_in_threadpool(answer, request, form)

    return endpoint


async def read(request: Request, most: int = MOST) -> Form | None:
    """The fields of a form, the first value of each; None for one that is too long or no form."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=FIELDS, keep_blank_values=True, errors="replace")
    except ValueError:
        return None
    return {name: values[0].replace("\r\n", "\n").replace("\0", "") for name, values in fields.items()}


def onward(path: str, done: str = "", **more: str) -> RedirectResponse:
    """Go on to a page of ours, which says what was done."""
    query = urlencode({k: v for k, v in {**more, "done": done}.items() if v})
    return RedirectResponse(path + (f"?{query}" if query else ""), 303)
