"""The data folder of the embedded PostgreSQL: made whole or not at all, checked before every start.

It runs initdb and mends a stale postmaster.pid; it must never delete a folder that holds data.
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import PermanentError, Reason
from services.embedded import child, files, privileges
from services.embedded.binaries import PostgresPrograms
from services.embedded.privileges import Identity

ROLE = "framewatch"
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""All that the server's programs see of our environment: a PGOPTIONS of the user's would break them."""
_PASSWORD = "framewatch.password"  # noqa: S105 - the name of a file
_ACCESS = "# Written by framewatch.\nhost all all 127.0.0.1/32 scram-sha-256\n"


def prepare(data: Path, programs: PostgresPrograms, identity: Identity) -> None:
    """Make the data folder if it is missing; else check that these programs may serve it, and mend it.

    Raises PermanentError(DATABASE_UNAVAILABLE) for a folder that is another version's, another user's or no
    data folder, and when initdb fails.
    """
    version = _version(data)
    if version is None:
        _make(data, programs, identity)
    elif version != str(programs.major):
        raise PermanentError(
            Reason.DATABASE_UNAVAILABLE,
            f"{data} was made by PostgreSQL {version}, and the programs in {programs.folder} are version"
            f" {programs.major}. Dump it with PostgreSQL {version} and load it into a new FRAMEWATCH_HOME, or"
            f" go back to the framewatch that came with PostgreSQL {version}.",
        )
    privileges.own(data, identity)
    _mend_pid_file(data)


def password(data: Path) -> str:
    """The password of the role, kept inside the data folder so that the two cannot part."""
    return (data / _PASSWORD).read_text(encoding="utf-8").strip()


def server_pid(data: Path) -> int | None:
    """Process id of a server that lives in the data folder, ours or another's; None when there is none."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if _serves(pid, data) else None


def run(argv: Sequence[str | Path], identity: Identity, *, env: dict[str, str]) -> None:
    """Run a program to its end. Raises PermanentError(DATABASE_UNAVAILABLE) with its words if it fails."""
    command = child.command([str(word) for word in argv], death=signal.SIGKILL, mode=identity.mode)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env=env,
        cwd="/",
        start_new_session=True,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise PermanentError(
            Reason.DATABASE_UNAVAILABLE,
            f"{Path(argv[0]).name} failed (exit status {done.returncode}):\n{said}\n"
            "Mend the cause named above, or set FRAMEWATCH_DATABASE_URL to a server of your own.",
        )


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a living server of the folder, not one that got a dead server's number."""
    try:
        if not Path("/proc/self").exists():
            os.kill(pid, 0)
            return True
        return Path(f"/proc/{pid}/cwd").readlink() == data
    except PermissionError:  # another user's, and we lack the right to look further
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _version(data: Path) -> str | None:
    try:
        return (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if data.is_dir() and any(data.iterdir()):
            raise PermanentError(
                Reason.DATABASE_UNAVAILABLE,
                f"{data} is in the way: it is not a PostgreSQL data folder. Move it away and start again.",
            ) from None
        return None


def _make(data: Path, programs: PostgresPrograms, identity: Identity) -> None:
    draft, secret = data.with_name(f"{data.name}.init"), data.with_name(f"{data.name}.secret")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    files.write_private(secret, secrets.token_urlsafe(24) + "\n")
    privileges.own(draft, identity)
    privileges.own(secret, identity)
    run(
        [
            *(
                programs.folder / "initdb",
                "-D",
                draft,
                "-U",
                ROLE,
                "-A",
                "scram-sha-256",
                f"--pwfile={secret}",
            ),
            *("-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
        ],
        identity,
        env=ENVIRONMENT,
    )
    (draft / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
    secret.replace(draft / _PASSWORD)
    draft.rename(data)


def _mend_pid_file(data: Path) -> None:
    """Unless a server lives, make postmaster.pid name us, its next parent: the server takes that for stale.

    Only the first line changes. A recycled process id would keep the server from starting; the other lines
    let it see that children of a killed server still use the shared memory, so the file must stay.
    """
    path = data / "postmaster.pid"
    if path.exists() and server_pid(data) is None:
        _, _, rest = path.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
        path.write_text(f"{os.getpid()}\n{rest}", encoding="utf-8", errors="surrogateescape")
