"""Who the embedded PostgreSQL runs as: PostgreSQL refuses to be root, and a container gives us nothing else.

Decides by trying, in order of least power, and changes the owner of our own data folder where that is needed.
It must never change the mode of a file, create a user, or touch anything outside the folder it is given.
"""

import os
import pwd
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import PermanentError, Reason
from services.embedded import child

_PROBE = 'cd "$1" && exec "$2" --version'


@dataclass(frozen=True, slots=True)
class Identity:
    """How child.py starts the server (`mode`) and which user owns its files on disk (`owner`)."""

    mode: str
    owner: int


def choose(program: Path, folder: Path) -> Identity:
    """The first identity that is not root, can enter `folder` and can run `program`.

    Raises PermanentError(DATABASE_UNAVAILABLE) when none can.
    """
    candidates = _candidates(os.geteuid())
    if len(candidates) == 1:
        return candidates[0]
    reasons = []
    for identity in candidates:
        refusal = _refusal(identity, program, folder)
        if refusal is None:
            return identity
        reasons.append(f"  as {identity.mode}: {refusal}")
    raise PermanentError(
        Reason.DATABASE_UNAVAILABLE,
        f"PostgreSQL will not run as this user (uid {os.geteuid()}), and no other way works here:\n"
        + "\n".join(reasons)
        + "\nRun framewatch as an ordinary user that is listed in /etc/passwd, or set FRAMEWATCH_DATABASE_URL"
        " to a server of your own.",
    )


def own(path: Path, identity: Identity) -> None:
    """Give `path` and all below to the identity. Raises PermanentError(DATABASE_UNAVAILABLE) if refused."""
    owner = path.lstat().st_uid
    if owner == identity.owner:
        return
    try:
        for folder, folders, files in os.walk(path, topdown=False):
            for name in (*folders, *files):
                os.chown(Path(folder, name), identity.owner, -1, follow_symlinks=False)
        os.chown(path, identity.owner, -1, follow_symlinks=False)  # last: an interrupted change is begun again
    except PermissionError as error:
        raise PermanentError(
            Reason.DATABASE_UNAVAILABLE,
            f"{path} belongs to user {_name(owner)}, and this is {_name(os.geteuid())}. Run framewatch as"
            " that user, or set FRAMEWATCH_HOME to a folder of your own.",
        ) from error


def _candidates(uid: int) -> list[Identity]:
    namespace = Identity(child.NAMESPACE, uid)
    if uid == 0:
        nobody = [Identity(mode, child.NOBODY) for mode in (child.NOBODY_PLAIN, child.NOBODY_REACHING)]
        return [namespace, *nobody]
    if _name(uid) == str(uid):  # PostgreSQL looks its own user up, and stops when there is none
        return [namespace, Identity(child.PLAIN, uid)]
    return [Identity(child.PLAIN, uid)]


def _refusal(identity: Identity, program: Path, folder: Path) -> str | None:
    """Why the identity does not do, or None when it does."""
    if identity == Identity(child.PLAIN, os.geteuid()):
        return "this user has no name in /etc/passwd"
    argv = ["/bin/sh", "-c", _PROBE, "sh", str(folder), str(program)]
    command = child.command(argv, death=signal.SIGKILL, mode=identity.mode)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=30, check=False, cwd="/")
    return None if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
