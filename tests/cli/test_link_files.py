from __future__ import annotations

import stat
from pathlib import Path

import pytest

from p2pchat.cli import link_files, main, node
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ConfigError

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
LINK = f"p2pchat:mailbox/{PEER}?a=/dns4/mail.example.org/tcp/4001"
OTHER = f"p2pchat:mailbox/{PEER}?a=/ip4/192.0.2.7/tcp/4001"


def test_a_file_stands_for_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "links"
    file.write_text(f"# both of Ada's\n\n  {LINK}\r\n{OTHER}")
    assert link_files.expanded(["none", f"@{file}"], "--mailbox") == ("none", LINK, OTHER)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "No such file"),
        (b"", "there is no link in"),
        (b"# later\n", "there is no link in"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_a_file_without_links_is_told(tmp_path: Path, content: bytes | None, part: str) -> None:
    file = tmp_path / "links"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^--bootstrap: .*{part}"):
        link_files.expanded([f"@{file}"], "--bootstrap")


def test_a_node_is_told_by_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mailbox-1"
    file.write_text(LINK)
    started: list[NodeConfig] = []
    monkeypatch.setattr(node, "start", lambda config, _: started.append(config))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("P2PCHAT_MAILBOX", f"@{file}")
    monkeypatch.setenv("P2PCHAT_BOOTSTRAP", f"@{file}")
    assert main.run(["node"]) == 0
    assert started[0].mailboxes == (LINK,)
    assert started[0].bootstrap == (f"/dns4/mail.example.org/tcp/4001/p2p/{PEER}",)


def test_what_is_wrong_with_a_variable_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("P2PCHAT_MAILBOX", f"@{tmp_path}/nothing")
    assert main.run(["node"]) == 2
    assert "P2PCHAT_MAILBOX: cannot read" in capsys.readouterr().err


def test_a_mailbox_leaves_its_link_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "link"
    file.write_text("what was there before")
    link_files.leave(str(file), ["Peer id: somebody", f"Link: {LINK}"])
    assert link_files.expanded([f"@{file}"], "--mailbox") == (LINK,)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_without_a_link_the_file_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "link"
    link_files.leave(str(file), ["Invite: none has uses left"])
    assert not file.exists()


def test_a_link_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot write the link"):
        link_files.leave(str(tmp_path / "nowhere" / "link"), [f"Link: {LINK}"])
