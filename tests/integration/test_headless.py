"""Headless nodes that a shell script drives with the commands alone: headless.sh says what it tries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("headless.sh")
STEPS = ["joined", "tailed", "delivered", "imported", "changed", "stopped"]
P2PCHAT = Path(sys.executable).with_name("p2pchat")


def test_nodes_are_driven_by_a_shell_script_alone(tmp_path: Path) -> None:
    ours = ("P2PCHAT", "DATA_DIR", "CHAT_TOPIC")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        ["sh", str(SCRIPT), str(tmp_path)],
        env={**clean, "P2PCHAT": str(P2PCHAT), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{_logs(tmp_path)}"
    said = [line for line in done.stdout.splitlines() if line in STEPS]
    assert said == STEPS, done.stdout


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.err")))
