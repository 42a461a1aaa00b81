"""Finds Prometheus, promtool and Alertmanager for the tests, and gets them where that can be done: python -m tests.monitoring.

Debian's packages, unpacked into build/ and not installed: nothing is started, and nobody need be root. Where that does
not work the tests that need them are left out and say so.
"""

import shutil
import subprocess
from pathlib import Path

HOME = Path(__file__).parents[1] / "build" / "debian"
PACKAGES = {"prometheus": ("prometheus", "promtool"), "prometheus-alertmanager": ("prometheus-alertmanager", "amtool")}


def find(tool: str) -> str | None:
    """The program to start."""
    ours = HOME / "usr" / "bin" / tool
    return shutil.which(tool) or (str(ours) if ours.exists() else None)


def get(package: str) -> None:
    """Fetch and unpack one of Debian's packages."""
    HOME.mkdir(parents=True, exist_ok=True)
    print(f"Getting {package} for the tests of rules and dashboards (apt-get download) ...", flush=True)
    done = subprocess.run(["apt-get", "download", "-qq", package], cwd=HOME, check=False)
    for archive in HOME.glob(f"{package}_*.deb") if done.returncode == 0 else ():
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(HOME)], check=False)
        archive.unlink()


def main() -> None:
    """Have them, or say that tests will be left out."""
    for package, tools in PACKAGES.items():
        if all(find(tool) for tool in tools):
            continue
        if shutil.which("apt-get") and shutil.which("dpkg-deb"):
            get(package)
        if not all(find(tool) for tool in tools):
            print(f"There is no {package}: tests that need {' and '.join(tools)} are left out.", flush=True)


if __name__ == "__main__":
    main()
