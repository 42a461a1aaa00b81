"""Finds a Chromium for the tests of the console, and gets one where that can be done: python -m tests.chromium.

Debian's package when we are root (as CI is), else Playwright's own download. Where neither works it says what to do, and
the tests that need a browser fail with the same words: a suite that leaves them out silently proves nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
HELP = (
    "The console's tests need Chromium or Chrome, and there is none on the PATH. Get it with `apt-get install chromium`, "
    "`dnf install chromium`, `brew install --cask chromium` or `.venv/bin/playwright install chromium`; "
    "to run all other tests: .venv/bin/python -m pytest -m 'not browser'"
)


def find() -> str | None:
    """The program to start."""
    named = (shutil.which(name) for name in NAMES)
    known = (place for place in PLACES if Path(place).exists())
    return next(iter((*filter(None, named), *known, *_downloaded())), None)


def _downloaded() -> list[str]:
    """What `playwright install chromium` fetched."""
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    mac = Path.home() / "Library" / "Caches" / "ms-playwright"
    found = [p for root in (home, mac) for p in root.glob("chromium-*/*/chrome")]
    found += [p for root in (home, mac) for p in root.glob("chromium-*/*/*.app/Contents/MacOS/*")]
    return [str(p) for p in sorted(found, reverse=True)]


def get() -> None:
    """Install one where that needs no question to be asked."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the console's tests (apt-get) ...", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-core"],
        ):
            subprocess.run(["apt-get", *command], env=quiet, check=False, stdout=subprocess.DEVNULL)
    else:
        print("Getting Chromium for the console's tests (playwright install chromium) ...", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Have one, or say how."""
    if find() is None:
        get()
    if find() is None:
        print(HELP, file=sys.stderr)


if __name__ == "__main__":
    main()
