"""What may be asked for."""

import pytest

from p2pchat.cli.testnet.settings import Settings, chosen, kinds
from p2pchat.cli.testnet.vocabulary import Kind
from p2pchat.node.errors import ConfigError


def settings(**given: object) -> Settings:
    usual: dict[str, object] = {
        "nodes": 3,
        "mailboxes": 1,
        "seconds": 60.0,
        "seed": 1,
        "rate": 5.0,
        "faults": "all",
    }
    return Settings(**{**usual, "kinds": None, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", None),
        ("none", frozenset()),
        ("kill", frozenset({Kind.KILL})),
        (" Stop, full-disk ,", frozenset({Kind.STOP, Kind.FULL_DISK})),
    ],
)
def test_faults_by_name(text: str, expected: frozenset[Kind] | None) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize("text", ["", "fire", "kill,fire"])
def test_unknown_faults_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="there is no fault"):
        kinds(text)


@pytest.mark.parametrize("text", ["all,kill", "kill, None", "all,none"])
def test_all_and_none_stand_alone(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"--faults: '(all|none)' cannot stand beside other names"
    ):
        kinds(text)


def test_all_is_what_the_place_can_do_and_a_named_one_must_be_possible() -> None:
    possible = frozenset({Kind.KILL, Kind.STOP})
    assert chosen(None, possible, ["full-disk: no compiler."]) == possible
    assert chosen(frozenset({Kind.STOP}), possible, []) == {Kind.STOP}
    with pytest.raises(ConfigError, match=r"full-disk.*no compiler"):
        chosen(frozenset({Kind.FULL_DISK}), possible, ["full-disk: no compiler.", "else: no"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nodes", 1),
        ("nodes", 101),
        ("mailboxes", -1),
        ("seconds", 0.0),
        ("rate", 0.0),
        ("rate", 1e9),
    ],
)
def test_numbers_have_bounds(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"--{name} must be from"):
        settings(**{name: value})


def test_the_command_repeats_the_run() -> None:
    assert settings(faults="kill,stop", seed=9).command() == (
        "p2pchat testnet --nodes 3 --mailboxes 1 --seconds 60 --seed 9 --rate 5 --faults kill,stop"
    )
