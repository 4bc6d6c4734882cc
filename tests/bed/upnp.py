"""A router that opens ports for those at home who ask it: miniupnpd, as many home routers have it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bed.namespaces import Home
from tests.bed.space import BedError

PROGRAM = "miniupnpd"
PACKAGE = "miniupnpd-nftables"  # its name in Debian
STOP_PATIENCE = 5.0  # seconds
START_PATIENCE = 5.0  # seconds; by then it listens, or has ended
LOOK = 0.1  # seconds between two looks at it
READY = "listening on port"  # in its log
LAST_LINES = 20  # of its log, quoted when it has ended

CHAINS = """
table inet upnp {
    chain forwarded { }
    chain mapped { }
    chain changed { }
    chain arriving {
        type nat hook prerouting priority -100;
        jump mapped
    }
}
"""
SETTINGS = """
ext_ifname=wan
listening_ip=lan
http_port=0
enable_upnp=yes
enable_natpmp=no
secure_mode=yes
system_uptime=yes
notify_interval=60
uuid=6f1c4d1e-2f6e-4a0c-9a37-5d1f0a7c2b11
lease_file={folder}/leases
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=forwarded
upnp_nat_chain=mapped
upnp_nat_postrouting_chain=changed
allow 1024-65535 0.0.0.0/0 1024-65535
"""


def why_not() -> str:
    """A sentence; empty: there can be such a router."""
    if shutil.which(PROGRAM):
        return ""
    return f"no {PROGRAM} here; Debian has it in {PACKAGE}"


@contextlib.contextmanager
def opening_ports(home: Home, folder: Path) -> Iterator[None]:
    """Its settings and its log lie in `folder`. Raises `BedError` when it does not start."""
    folder.mkdir()
    settings = folder / "settings"
    settings.write_text(SETTINGS.format(folder=folder))
    home.router.nft(CHAINS)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*home.router.inside, PROGRAM, "-d", "-f", settings, "-P", folder / "pid"],
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for_start(process, folder / "log")
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_PATIENCE)
            process.kill()
            process.wait()


def _wait_for_start(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it listens, or `START_PATIENCE` is over. Raises `BedError` when it has ended."""
    deadline = time.monotonic() + START_PATIENCE
    while READY not in log.read_text(errors="replace") and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(LOOK)
            last_words = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise BedError("\n".join([f"{PROGRAM} has ended with {code}:", *last_words]))
