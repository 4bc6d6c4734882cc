"""Two whole nodes in one network namespace find each other by mDNS alone; nothing leaves the namespace."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

P2PCHAT = Path(sys.executable).with_name("p2pchat")
TIMEOUT = 60.0  # seconds

# The nodes are asked to say something as soon as somebody listens, and end with their input.
SCENE = """
set -e
ip link set lo up
ip link set lo multicast on
cat >"$1/words" <<'WORDS'
Hello by multicast
WORDS
"$0" node --data-dir "$1/alice" --name Alice --bootstrap none <"$1/pipe" >"$1/alice.out" &
exec 3>"$1/pipe"
"$0" node --data-dir "$1/bob" --name Bob --bootstrap none <"$1/words" >"$1/bob.out"
for _ in $(seq 100); do
  grep -q "Hello by multicast" "$1/alice.out" && break
  sleep 0.1
done
exec 3>&-
wait
"""


@pytest.mark.bed
def test_two_nodes_meet_by_mdns_alone(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"]).returncode:
        pytest.skip("network namespaces need Linux, root and unshare(1)")
    subprocess.run(["mkfifo", tmp_path / "pipe"], check=True)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", SCENE, P2PCHAT, tmp_path],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    alice, bob = ((tmp_path / f"{name}.out").read_text() for name in ("alice", "bob"))
    assert "Bob (…" in alice
    assert "): Hello by multicast" in alice
    assert "Nobody is here" not in bob
