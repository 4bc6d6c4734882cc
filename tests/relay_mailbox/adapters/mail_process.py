"""A process of its own that keeps and deletes mail: `python -m tests.relay_mailbox.adapters.mail_process`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from p2pchat.relay_mailbox.quota import Quota
from tests.relay_mailbox.builders import RECIPIENT, new_mail

ROOT = Path(__file__).parents[3]
PLENTY = Quota(1 << 40, 1 << 40, 1 << 40)


def start(path: Path, first: int, seed: int) -> subprocess.Popen[str]:
    """Its output comes line by line: "+<numbers>" is kept, "~<numbers>" and then "-<numbers>" deleted."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(path), str(first), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def say(sign: str, numbers: list[int]) -> None:
    print(sign, *numbers, flush=True)


def burst(path: Path, first: int, rng: random.Random) -> None:
    """Deposit and acknowledge until killed; `first` is a number that was never used."""
    store = RocksdbMail(path)
    store.open()
    held: list[int] = []
    while True:
        batch = [*range(first, first + rng.randint(1, 40))]
        first = batch[-1] + 1
        store.deposit([new_mail(number, sender=number % 3) for number in batch], PLENTY)
        say("+", batch)
        held += batch
        gone, held = held[: rng.randint(0, len(held))], held[-200:]
        held = [number for number in held if number not in gone]
        say("~", gone)
        ids = [new_mail(number).id for number in gone]
        store.acknowledge([actors.ForgetMail(recipient=RECIPIENT, ids=ids)])
        say("-", gone)


if __name__ == "__main__":
    burst(Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3])))
