"""The operator's commands as they are typed, against a mailbox that is played on a real socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio

from p2pchat.cli import control_client, main
from p2pchat.relay_mailbox.control import MailboxControl, serve
from tests.relay_mailbox.played_operator import (
    NOTHING_LIKE_IT,
    PEER,
    PlayedOperator,
    playing,
)

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("P2PCHAT_")] + ["DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)


@contextlib.asynccontextmanager
async def operating(
    folder: Path, capsys: pytest.CaptureFixture[str], played: PlayedOperator | None = None
) -> AsyncIterator[Run]:
    """What it gives runs `p2pchat mailbox ...`: exit code, standard output, standard error."""

    async def run(*words: str) -> tuple[int, str, str]:
        command = ["mailbox", *words, "--data-dir", str(folder)]
        code = await trio.to_thread.run_sync(main.run, command)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    path = folder / control_client.SOCKET_NAME
    async with playing(played) as operator, serve(path, MailboxControl(operator)):
        yield run


async def test_status_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with operating(tmp_path, capsys) as run:
        code, shown, _ = await run("status")
    assert code == 0
    lines = [line.split() for line in shown.splitlines()]
    assert ["Mailbox", PEER] in lines
    assert ["Up", "for", "1", "min", "1", "s"] in lines
    assert ["Holds", "1,234", "envelopes,", "5.0", "MiB"] in lines
    assert ["Room", "Messages", "Size", "Newest", "Members", "now", "Kept", "for"] in lines
    assert ["#gar␛den", "0", "0", "bytes", "-", "not", "joined", "1", "client"] in lines
    lobby = next(line for line in lines if line[:1] == ["#lobby"])
    assert lobby[1:4] == ["1,500", "3.0", "MiB"]
    assert lobby[4].startswith("2023-11-1")
    assert lobby[6:] == ["5", "operator,", "2", "clients"]
    shed = next(line for line in lines if line[:1] == ["#shed"])
    assert shed[-4:-2] == ["nobody,", "until"]
    assert ["quota_bytes", "64.0", "MiB", "1,001"] in lines
    assert ["deposit_rate", "2,000", "envelopes/s", "0"] in lines
    assert ["kept", "1,234"] in lines
    assert ["mailbox", "running", "0", "0", "7", "0", "0"] in lines
    assert ["Reachability", "Others", "can", "connect."] in lines
    assert ["DHT", "Nobody", "is", "known", "␛[2J.", "See", "bootstrap."] in lines


async def test_status_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with operating(tmp_path, capsys) as run:
        found = json.loads((await run("status", "--json"))[1])
    assert found["peer"] == PEER
    assert found["held_bytes"] == 5 << 20
    assert found["streams"] == 0
    assert found["limits"][0]["bitten"] == 1_001
    assert found["counters"] == {"kept": 1_234}
    assert found["store"] is None
    archived = found["archives"][1]
    assert (archived["usage"]["room"], archived["usage"]["messages"]) == ("lobby", 1_500)
    assert (archived["by_operator"], archived["clients"], archived["members"]) == (True, 2, 5)
    assert found["diagnosis"]["ok"]
    assert [check["name"] for check in found["diagnosis"]["checks"]] == ["nat", "dht"]


async def test_of_a_mailbox_that_has_just_started_nobody_waits_for_a_diagnosis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played = PlayedOperator()
    played.uptime_ms = 20_000
    async with operating(tmp_path, capsys, played) as run:
        shown = (await run("status"))[1]
        found = json.loads((await run("status", "--json"))[1])
    assert "Reachability    not known yet" in shown
    assert "DHT             not known yet" in shown
    assert found["diagnosis"] is None


async def test_a_mailbox_of_a_version_without_a_doctor_has_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from p2pchat.node.adapters.grpc_server import Service, serving
    from p2pchat.relay_mailbox.control import SERVICE

    path = tmp_path / control_client.SOCKET_NAME
    command = ["mailbox", "status", "--data-dir", str(tmp_path)]
    async with playing() as operator, serving(path, [Service(SERVICE, MailboxControl(operator))]):
        assert await trio.to_thread.run_sync(main.run, command) == 0
    assert "Reachability    not known yet" in capsys.readouterr().out


async def test_invites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with operating(tmp_path, capsys) as run:
        assert "There are no invites" in (await run("invites"))[1]
        made = (await run("invites", "--new", "--uses", "3", "--label", "my \x1b friends"))[1]
        assert made.startswith('invite0 "my ␛ friends": 3 uses left, used 0 times')
        assert "\n  p2pchat:mailbox/12D3KooW" in made
        assert "t=token0\n" in made
        assert (await run("invites"))[1] == made
        again = json.loads((await run("invites", "--new", "--json"))[1])
        assert again["invite"]["uses_left"] == 1
        listed = json.loads((await run("invites", "--json"))[1])
        assert [each["invite"]["id"] for each in listed] == ["invite0", "invite1"]
        assert await run("invites", "--revoke", "invite0") == (0, "Revoked: invite0\n", "")
        assert await run("invites", "--revoke", "invite0") == (
            2,
            "",
            f"p2pchat: {NOTHING_LIKE_IT}\n",
        )


async def test_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with operating(tmp_path, capsys) as run:
        assert (await run("blocks"))[1] == "Nobody is blocked.\n"
        assert (await run("block", PEER, "--note", "spam")) == (0, f"Blocked: {PEER}\n", "")
        assert "since 2023-11-1" in (await run("blocks"))[1]
        assert json.loads((await run("blocks", "--json"))[1])[0]["note"] == "spam"
        assert (await run("unblock", PEER)) == (0, f"Unblocked: {PEER}\n", "")
        assert (await run("unblock", PEER)) == (2, "", f"p2pchat: {NOTHING_LIKE_IT}\n")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["invites", "--uses", "3"], "--uses and --label belong to --new"),
        (["invites", "--new", "--revoke", "x"], "two commands"),
        (["invites", "--new", "--uses", "-1"], "--uses: -1"),
        (["invites", "--new", "--uses", "many"], "--uses"),
        (["block"], "PEER"),
        (["stauts"], "stauts"),
        (["--retention", "5", "status"], "--retention is for running a mailbox"),
        (["status"], "No mailbox is running on /nowhere"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(
    words: list[str],
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("P2PCHAT_DATA_DIR", "/nowhere")
    assert main.run(["mailbox", *words]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert part in shown.err


async def test_the_folder_may_stand_before_the_command_or_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mailbox.toml"
    file.write_text(f"data-dir = '{tmp_path}'\nretention = 5")
    monkeypatch.setenv("DATA_DIR", "/nowhere")
    async with operating(tmp_path, capsys):
        for words in (["--data-dir", str(tmp_path)], ["--config", str(file)]):
            if "--config" in words:
                monkeypatch.delenv("DATA_DIR")
            command = ["mailbox", *words, "blocks"]
            assert await trio.to_thread.run_sync(main.run, command) == 0


async def test_a_long_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    async with operating(folder, capsys) as run:
        assert (await run("blocks"))[:2] == (0, "Nobody is blocked.\n")
    assert (await run("blocks"))[0] == 2


async def test_after_the_mailbox_has_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when it left its socket behind."""
    async with operating(tmp_path, capsys) as run:
        pass
    gone = (2, "", f"p2pchat: No mailbox is running on {tmp_path}.\n")
    assert await run("status") == gone
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(tmp_path / control_client.SOCKET_NAME))
    assert await run("status") == gone


async def test_what_runs_there_is_no_mailbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from p2pchat.node.adapters.grpc_server import serving

    async with operating(tmp_path, capsys) as run:
        pass
    async with serving(tmp_path / control_client.SOCKET_NAME, []):
        code, _, shown = await run("status")
    assert code == 2
    assert "is no mailbox" in shown


async def test_a_mailbox_that_cannot_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with playing() as operator:
        pass
    path = tmp_path / control_client.SOCKET_NAME
    async with serve(path, MailboxControl(operator)):
        command = ["mailbox", "status", "--data-dir", str(tmp_path)]
        assert await trio.to_thread.run_sync(main.run, command) == 1
    assert capsys.readouterr().err.startswith("p2pchat: The mailbox cannot answer: ")
