"""The sign-in form: a token in, a cookie out. It never shows or keeps the token."""

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console import forms
from services.console.desk import desk_of, page
from services.console.session import COOKIE, LASTS

DELAY_S = 0.3
"""What a wrong guess costs."""
WRONG = "That is no token that is in force here."
NO_READER = "That token is good for sending posts only: the console needs one with the scope read."


def show(request: Request) -> Response:
    """The form."""
    return page(request, "sign_in.html", onward="/", wrong="")


def ask(request: Request) -> Response:
    """The form in place of a page that was asked for without a session."""
    answer = page(request, "sign_in.html", status=401, onward=_asked(request), wrong="")
    answer.headers["WWW-Authenticate"] = 'Bearer realm="framewatch"'
    return answer


async def check(request: Request) -> Response:
    """Begin a session and go on, or show the form again."""
    desk = desk_of(request)
    form = await forms.read(request) or {}
    onward = own_path(form.get("onward", "/"))
    caller, word = await run_in_threadpool(desk.session.enter, form.get("token", ""), request, desk.now())
    if not word:
        await asyncio.sleep(DELAY_S)
        told = WRONG if caller is None else NO_READER
        answer = page(request, "sign_in.html", status=401, onward=onward, wrong=told)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="framewatch", error="invalid_token"'
        return answer
    answer = RedirectResponse(onward, 303)
    _set(answer, request, word, int(LASTS.total_seconds()))
    return answer


def leave(request: Request) -> Response:
    """End the session and forget the cookie."""
    desk_of(request).session.leave(request)
    answer = RedirectResponse("/sign-in", 303)
    _set(answer, request, "", 0)
    return answer


def own_path(path: str) -> str:
    """A path of ours to go on to; the first page for anything that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _asked(request: Request) -> str:
    """The page that was asked for, with its query, which may say what it shows."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "") if request.method == "GET" else "/"


def _set(answer: Response, request: Request, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
