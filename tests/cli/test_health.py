"""`p2pchat health` before a node and a mailbox that are played on real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio

from p2pchat.cli import control_client, main
from p2pchat.relay_mailbox.control import MailboxControl, serve
from tests.cli import played_control
from tests.relay_mailbox import played_operator


def health(folder: Path) -> int:
    return main.run(["health", "--data-dir", str(folder)])


def test_a_node_that_answers_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with played_control.playing(tmp_path, played_control.PlayedNode()):
        assert health(tmp_path) == 0
        assert capsys.readouterr().out == "The node answers.\n"
        assert main.run(["health", "--json", "--data-dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"role": "node"}


def test_a_node_whose_actors_do_not_answer_is_not_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(_name: str, _request: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAVAILABLE, "no answer from ui within 10 s")

    played = played_control.PlayedNode()
    played.answer = unavailable  # type: ignore[method-assign,assignment]
    with played_control.playing(tmp_path, played):
        assert health(tmp_path) == 1
    assert "no answer from ui" in capsys.readouterr().err


async def test_a_mailbox_that_answers_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / control_client.SOCKET_NAME
    async with played_operator.playing() as operator, serve(path, MailboxControl(operator)):
        assert await trio.to_thread.run_sync(health, tmp_path) == 0
    assert capsys.readouterr().out == "The mailbox answers.\n"


def test_nothing_there_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1: an engine takes 2, which other commands have for that, for something else."""
    assert health(tmp_path) == 1
    assert capsys.readouterr().err == f"p2pchat: Nothing runs on {tmp_path}.\n"
