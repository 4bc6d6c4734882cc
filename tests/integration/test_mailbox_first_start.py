"""A mailbox that could not start the first time is no worse off the next time."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.direct_scene import run_p2pchat


def test_a_port_that_was_taken_at_the_first_start_is_all_that_is_wrong(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"/ip4/127.0.0.1/tcp/{other.getsockname()[1]}"
        options = ("--data-dir", tmp_path / "new", "--listen", listen, "--no-mdns")
        for _ in range(2):
            done = run_p2pchat("mailbox", *options, "--bootstrap", "none")
            assert done.returncode == 2
            assert "is in use by another program" in done.stderr
