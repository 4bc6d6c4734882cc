"""How to start another process of this very program."""

from __future__ import annotations

import sys

# However it was installed and started; -P: whatever lies in the current folder.
P2PCHAT = (sys.executable, "-P", "-c", "from p2pchat.cli.main import main; main()")
