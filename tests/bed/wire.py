"""Wires that take time and lose frames: a process that carries them between TAP devices.

The kernel's own means for that, netem, is a module that many kernels of CI machines lack.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bed.space import BedError, Space

ROOT = Path(__file__).parent.parent.parent
TUN_DEVICE = "/dev/net/tun"
TUNSETIFF = 0x400454CA  # <linux/if_tun.h>, as are the flags
TAP_WITHOUT_HEADER = 0x0002 | 0x1000  # IFF_TAP | IFF_NO_PI
FRAME = 65_536  # bytes that fit the longest frame
FRAMES_AT_ONCE = 64  # from one end, before the others get their turn
FRAMES_UNDER_WAY = 10_000  # on all wires together; more are lost, as in any network
READY = b"ready\n"
SEED = 5  # of what gets lost


def why_not() -> str:
    """Why there cannot be a wire here, in a sentence; empty: there can be."""
    try:
        with Space.opened() as space, space.entered():
            os.close(open_tap("probe"))
    except (BedError, OSError) as error:
        return f"a line with a delay or losses needs {TUN_DEVICE}: {error}"
    return ""


@dataclass(frozen=True, slots=True)
class End:
    """Where a wire ends: `device` is made in the network namespace of the process `keeper`."""

    keeper: int
    device: str


@contextlib.contextmanager
def running(pairs: Sequence[tuple[End, End]], delay: float, loss: float) -> Iterator[None]:
    """`delay`: seconds each way; `loss`: the share of lost frames, 0 to 1."""
    ends = [f"{end.keeper}:{end.device}" for pair in pairs for end in pair]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bed.wire", str(delay), str(loss), *ends],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != READY:
            raise BedError("the wire has not started; why, stands above")
        yield
    finally:
        process.kill()
        process.communicate()


class Wires:
    """`across` leads from each end, a file descriptor, to its other one."""

    def __init__(self, across: dict[int, int], delay: float, loss: float) -> None:
        self._across = across
        self._delay = delay
        self._loss = loss
        self._chance = random.Random(SEED)
        self._under_way: list[tuple[float, int, int, bytes]] = []  # due time, number, end, frame
        self._taken = 0

    def carry(self, until_readable: int) -> None:
        """Until that file descriptor can be read."""
        while True:
            readable, _, _ = select.select([*self._across, until_readable], [], [], self._pause())
            if until_readable in readable:
                return
            for end in readable:
                self._take(end, time.monotonic())
            self._hand_over(time.monotonic())

    def _pause(self) -> float | None:
        if not self._under_way:
            return None
        return max(0.0, self._under_way[0][0] - time.monotonic())

    def _take(self, end: int, now: float) -> None:
        for _ in range(FRAMES_AT_ONCE):
            try:
                frame = os.read(end, FRAME)
            except OSError:  # no more, or the device is down
                return
            full = len(self._under_way) >= FRAMES_UNDER_WAY
            if full or self._chance.random() < self._loss:
                continue
            self._taken += 1  # in order, and frames themselves are never compared
            due = (now + self._delay, self._taken, self._across[end], frame)
            heapq.heappush(self._under_way, due)

    def _hand_over(self, now: float) -> None:
        while self._under_way and self._under_way[0][0] <= now:
            _, _, end, frame = heapq.heappop(self._under_way)
            with contextlib.suppress(OSError):  # the device is down
                os.write(end, frame)


def open_tap(device: str) -> int:
    """A new device in the namespace of this thread; it goes when its descriptor is closed."""
    tap = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), TAP_WITHOUT_HEADER))
    return tap


def main(delay: str, loss: str, *ends: str) -> None:
    """Carries until its input ends."""
    taps = []
    for end in ends:
        keeper, _, device = end.partition(":")
        with Space(int(keeper)).entered():
            taps.append(open_tap(device))
    across = {tap: taps[index ^ 1] for index, tap in enumerate(taps)}  # two ends in turn
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    Wires(across, float(delay), float(loss)).carry(until_readable=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
