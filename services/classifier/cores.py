"""How many cores this process may really use, its affinity cut down by its container's quota, and who uses them."""

import math
import os
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Cores of this process, at least 1: a container with a quota of 1.5 cores on a 64-core machine has 2."""
    try:
        here = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        here = os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, here if quota is None else min(here, math.ceil(quota)))


def blas_threads(count: int) -> AbstractContextManager[Any]:
    """Within it the products of numpy and scipy use that many threads; else they use the machine's cores, not ours."""
    limited: AbstractContextManager[Any] = _blas().limit(limits=count, user_api="blas")
    return limited


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _quota(cgroup: Path) -> float | None:
    """Cores granted by cgroup v2 (`cpu.max`) or v1 (`cpu.cfs_*`); None when there is no limit."""
    try:
        allowed, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
        return None if allowed == "max" else int(allowed) / int(period)
    except (OSError, ValueError):
        pass
    try:
        allowed = (cgroup / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii")
        period = (cgroup / "cpu/cpu.cfs_period_us").read_text(encoding="ascii")
        return int(allowed) / int(period) if int(allowed) > 0 else None
    except (OSError, ValueError):
        return None
