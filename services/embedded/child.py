"""The last step before a child process becomes its program: who it runs as, and that it dies with its parent.

Run by path as a script (`python -I -S child.py PARENT SIGNAL MODE PROGRAM …`) and replaced by PROGRAM, so
that nothing of ours runs between fork and exec. It must import only the standard library and never print on
success. `command` makes its command line.

The kernel sends the death signal when the *thread* that started the child ends: start children from the main
thread, or from one that lives as long as they should.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

NOBODY = 65534
PLAIN, NAMESPACE, NOBODY_PLAIN, NOBODY_REACHING = "plain", "namespace", "nobody", "nobody-reaching"

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS = 1, 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def command(argv: Sequence[str], *, death: signal.Signals, mode: str = PLAIN) -> list[str]:
    """The command line that runs `argv` as our child, in `mode`, and ends it by `death` when we die."""
    here = os.path.abspath(__file__)  # noqa: PTH100 - pathlib would double the start
    prefix = [sys.executable, "-I", "-S", here]
    return [*prefix, str(os.getpid()), str(int(death)), mode, *argv]


def main(argv: Sequence[str]) -> None:
    """Take on the mode, tie ourselves to the parent and become the program. Raises OSError where refused."""
    parent, death, mode, *program = argv
    if mode == NAMESPACE:
        _enter_namespace()
    elif mode in (NOBODY_PLAIN, NOBODY_REACHING):
        _become_nobody(reaching=mode == NOBODY_REACHING)
    elif mode != PLAIN:
        sys.exit(f"unknown mode {mode}")
    if sys.platform == "linux":  # after the change of user, which would clear it
        _call("prctl", _PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("the parent process is gone")
    os.execvp(program[0], program)  # noqa: S606 - a program we name, without a shell


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {uid} 1"),
        ("gid_map", f"{NOBODY} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def _become_nobody(*, reaching: bool) -> None:
    """Drop to nobody; when `reaching`, keep the one capability to pass folders that only root may enter."""
    if reaching:
        _call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if reaching:
        bit = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        _call("capset", header, sets)
        _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[4] if len(sys.argv) > 4 else 'the program'}: {error}")
