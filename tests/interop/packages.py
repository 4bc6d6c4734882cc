"""js-libp2p, installed by npm below build/ as package-lock.json says, once for all runs."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / "build" / "interop"
NODE_VERSION = 20  # at least
PATIENCE = 300.0  # seconds for an installation
NPM_CI = (
    *("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
    *("--prefer-offline", "--engine-strict=false", "--loglevel=error"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"),
)
# What npm calls it when it gets no answer, has nothing stored to do without one, is refused, or does not trust who
# answers: a proxy's or a registry's doing, and no fault of ours.
NO_PACKAGES = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED"
    r"|E[45]\d\d|CERT_[A-Z_]+|ERR_TLS_[A-Z_]+|ERR_SSL_[A-Z_]+|EPROTO"
    r"|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_[A-Z_]+)?|UNABLE_TO_(?:GET|VERIFY)_[A-Z_]+)\b"
)


class NotHereError(Exception):
    """js-libp2p cannot be had on this computer; the text says why."""


def install() -> Path:
    """The folder to run the scripts in. Raises `NotHereError`, and `RuntimeError` when npm fails for no reason of the
    computer's."""
    require_node()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two runs one installs, and the other waits
        for script in HERE.glob("*.mjs"):  # beside their packages, where Node looks for these
            shutil.copyfile(script, INSTALLED / script.name)
        if not is_installed():
            run_npm()
    return INSTALLED


def require_node() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not installed")
    asked = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    version = asked.stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE_VERSION:
        raise NotHereError(f"Node {version} is older than {NODE_VERSION}")


def is_installed() -> bool:
    """As the lock says, and to its end."""
    done = INSTALLED / ".installed"
    return done.exists() and done.read_text() == wanted()


def wanted() -> str:
    return (HERE / "package-lock.json").read_text()


def run_npm() -> None:
    done = INSTALLED / ".installed"
    done.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, INSTALLED / name)
    try:
        ran = subprocess.run(
            NPM_CI, cwd=INSTALLED, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        late = f"npm did not get it within {PATIENCE:g} s"
        raise NotHereError(f"js-libp2p is not installed, and {late}") from None
    if ran.returncode:
        if code := NO_PACKAGES.search(ran.stderr):
            raise NotHereError(f"js-libp2p is not installed, and npm cannot get it ({code[0]})")
        raise RuntimeError(f"npm ci failed:\n{ran.stderr}")
    done.write_text(wanted())
