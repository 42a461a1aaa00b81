"""A page as a person with a browser gets it: its console, what its policy refused, and what axe finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
SIZES = {1440: 900, 390: 844}
SCHEMES = ("light", "dark")
_REFUSED = (
    "addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`))"
)


@contextmanager
def opened(
    browser: Browser, *, width: int = 1440, scheme: str = "light", script: bool = True, missing: bool = False
) -> Iterator[Page]:
    """A page that must stay silent: at the end nothing was said on its console and nothing was asked of other hosts.

    With `missing` the browser may say that a page was not there, or a form not right.
    """
    said: list[str] = []
    size: Any = {"width": width, "height": SIZES.get(width, 900)}
    context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.add_init_script(_REFUSED)
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda r: said.append(f"asked {r.url}") if not r.url.startswith("http://127.0.0.1:") else None)
    try:
        yield page
    finally:
        context.close()
    assert [s for s in said if not (missing and ("status of 404" in s or "status of 400" in s))] == []


def grave(page: Page) -> list[str]:
    """The serious and critical faults that axe finds, one a line."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {' | '.join(n['html'][:160] for n in v['nodes'][:4])}"
        for v in found["violations"]
        if v["impact"] in GRAVE
    ]


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
