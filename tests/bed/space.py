"""One network namespace, kept by a process, and what is done inside it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OWN_NAMESPACE = "/proc/thread-self/ns/net"
CLONE_NEWNET = 0x40000000  # <linux/sched.h>
ATTEMPTS = 20  # pings to somebody who is expected to answer


class BedError(Exception):
    """A command that the bed is made by has failed; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Space:
    """A network namespace, which is there as long as the process that keeps it."""

    keeper: int  # process id

    @staticmethod
    @contextlib.contextmanager
    def opened() -> Iterator[Space]:
        # It ends with its input, and so when this process is gone, however it went.
        keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo there; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert keeper.stdout is not None
            if not keeper.stdout.readline():
                raise BedError(keeper.communicate()[1].decode().strip())
            space = Space(keeper.pid)
            space.ip("link set lo up")
            yield space
        finally:
            keeper.kill()
            keeper.communicate()

    @property
    def inside(self) -> tuple[str, ...]:
        """What stands before a command that is to run in here. It becomes that command: same process."""
        return ("nsenter", f"--net=/proc/{self.keeper}/ns/net", "--")

    def run(self, *command: str, given: str = "") -> str:
        """What it prints. Raises `BedError`."""
        done = subprocess.run(
            [*self.inside, *command], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BedError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ip(self, words: str) -> None:
        self.run("ip", *words.split())

    def nft(self, rules: str) -> None:
        self.run("nft", "-f", "-", given=rules)

    def set(self, name: str, value: int) -> None:
        """A setting of the kernel's, below `net`."""
        with self.entered():
            Path("/proc/sys/net", name).write_text(str(value))

    def reaches(self, address: str, patience: float = 0.3) -> bool:
        """Whether a ping is answered within so many seconds."""
        try:
            self.run("ping", "-c", "1", "-W", str(patience), address)
        except BedError:
            return False
        return True

    def wait_for(self, address: str) -> None:
        """Until it answers: a bridge takes up to a second to begin. Raises `BedError`."""
        if not any(self.reaches(address) for _ in range(ATTEMPTS)):
            raise BedError(f"{address} does not answer")

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is in here meanwhile: sockets that it makes stay here."""
        home = os.open(OWN_NAMESPACE, os.O_RDONLY)
        try:
            there = os.open(f"/proc/{self.keeper}/ns/net", os.O_RDONLY)
            try:
                _enter(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)


def _enter(namespace: int) -> None:
    """`os.setns` is there from Python 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise BedError(f"setns: {os.strerror(ctypes.get_errno())}")
