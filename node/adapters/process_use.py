"""Asks the operating system what processes take; psutil knows how on each."""

from __future__ import annotations

import psutil

from p2pchat.node.protocol.process_use import ProcessUse


def process_use(pid: int = 0) -> ProcessUse | None:
    """Of this process, or of one of the same user's; None when it is gone, or the system does not say."""
    try:
        process = psutil.Process(pid or None)
        with process.oneshot():
            times = process.cpu_times()
            return ProcessUse(
                resident_bytes=process.memory_info().rss,
                cpu_seconds=times.user + times.system,
                threads=process.num_threads(),
                started_at=process.create_time(),
                open_fds=process.num_fds() if hasattr(process, "num_fds") else None,
                max_fds=_max_fds(process),
            )
    except (psutil.Error, OSError):  # the latter where /proc is not shown in full
        return None


def _max_fds(process: psutil.Process) -> int | None:
    """The soft limit, on Linux; None when there is none."""
    if not hasattr(process, "rlimit"):
        return None
    soft, _ = process.rlimit(psutil.RLIMIT_NOFILE)
    return None if soft == psutil.RLIM_INFINITY else int(soft)
