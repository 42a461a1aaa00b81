"""The sign-in form: the token in, a cookie out. It never shows or keeps the token."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console import forms
from services.console.desk import desk_of, page
from services.console.session import COOKIE, LASTS

DELAY_S = 0.3
"""What a wrong guess costs."""


def show(request: Request) -> Response:
    """The form."""
    return page(request, "sign_in.html", onward="/", wrong=False)


def ask(request: Request) -> Response:
    """The form in place of a page that was asked for without a cookie."""
    answer = page(request, "sign_in.html", status=401, onward=request.url.path, wrong=False)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="framewatch"'
    return answer


async def check(request: Request) -> Response:
    """Set the cookie and go on, or show the form again."""
    desk = desk_of(request)
    form = await forms.read(request) or {}
    onward = own_path(form.get("onward", "/"))
    if not desk.session.is_token(form.get("token", "")):
        await asyncio.sleep(DELAY_S)
        answer = page(request, "sign_in.html", status=401, onward=onward, wrong=True)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="framewatch", error="invalid_token"'
        return answer
    answer = RedirectResponse(onward, 303)
    _set(answer, request, desk.session.cookie(desk.now()), int(LASTS.total_seconds()))
    return answer


def leave(request: Request) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/sign-in", 303)
    _set(answer, request, "", 0)
    return answer


def own_path(path: str) -> str:
    """A path of ours to go on to; the first page for anything that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _set(answer: Response, request: Request, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
