"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2pchat.cli.testnet.vocabulary import Kind
from p2pchat.node.errors import ConfigError

ALL, NONE = "all", "none"
# So many processes of 60 to 100 MB are as much as a large computer bears.
MOST_NODES, MOST_MAILBOXES = 100, 20
MOST_RATE = 500.0  # messages a second; a node takes some hundreds
MOST_SECONDS = 7 * 86_400
SETTLE = 180.0  # seconds, unless another time is given


@dataclass(frozen=True, slots=True)
class Settings:
    """Raises `ConfigError` when they are none."""

    nodes: int
    mailboxes: int
    seconds: float  # of traffic
    seed: int
    rate: float  # messages a second, of all together
    faults: str  # as given
    kinds: frozenset[Kind] | None  # None: all that the place can do
    docker: str = (
        ""  # the compose project that is the network, instead of processes of this computer
    )
    settle: float = (
        SETTLE  # seconds that may pass after the last fault until everything has arrived
    )

    def __post_init__(self) -> None:
        _within("--nodes", self.nodes, 2, MOST_NODES)
        _within("--mailboxes", self.mailboxes, 0, MOST_MAILBOXES)
        _within("--seconds", self.seconds, 1, MOST_SECONDS)
        _within("--settle", self.settle, 0, MOST_SECONDS)
        _within("--rate", self.rate, 0.01, MOST_RATE)

    def command(self) -> str:
        """A command line that does the same."""
        processes = f"--nodes {self.nodes} --mailboxes {self.mailboxes}"
        where = f"--docker {self.docker}" if self.docker else processes
        how = f"--seconds {self.seconds:g} --seed {self.seed} --rate {self.rate:g}"
        settle = f" --settle {self.settle:g}" if self.settle != SETTLE else ""
        return f"p2pchat testnet {where} {how} --faults {self.faults}{settle}"


def kinds(text: str) -> frozenset[Kind] | None:
    """Of `--faults`. Raises `ConfigError`."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    words = list(dict.fromkeys(words))
    if words == [ALL]:
        return None
    if words == [NONE]:
        return frozenset()
    for word in (ALL, NONE):
        if word in words:
            raise ConfigError(f"--faults: {word!r} cannot stand beside other names.")
    known = [str(kind) for kind in Kind]
    for word in words or [text]:
        if word not in known:
            raise ConfigError(
                f"--faults: there is no fault {word!r}. There are {ALL}, {NONE}, or several of "
                f"{', '.join(known)}, with commas between them."
            )
    return frozenset(Kind(word) for word in words)


def chosen(
    wanted: frozenset[Kind] | None, possible: frozenset[Kind], left_out: Sequence[str]
) -> frozenset[Kind]:
    """The faults to be done. Raises `ConfigError` when one that was named cannot be done here."""
    if wanted is None:
        return possible
    if impossible := sorted(wanted - possible):
        reasons = [text for text in left_out if text.startswith(tuple(impossible))]
        raise ConfigError(f"This cannot be done here: {' '.join(reasons) or ', '.join(impossible)}")
    return wanted


def _within(option: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{option} must be from {least:g} to {most:g}, not {value:g}.")
