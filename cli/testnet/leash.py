"""The first thing in every process of a test network: whoever started it holds the other end of its standard input.

When that end is gone, the process ends, however the driver ended. A process that was stopped reads nothing: for those
there is the guard.
"""

from __future__ import annotations

import os
import sys
import threading

EXIT_UNLEASHED = 1


def main() -> None:
    """`p2pchat` with the arguments of the command line, as long as the input goes on."""
    threading.Thread(target=_hold, daemon=True).start()
    from p2pchat.cli import main as program

    program.main()


def _hold() -> None:
    while os.read(0, 4096):
        pass
    os._exit(EXIT_UNLEASHED)


COMMAND = (sys.executable, "-P", "-c", "from p2pchat.cli.testnet.leash import main; main()")
