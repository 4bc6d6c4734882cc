"""An engine of our own for one run, on Debian and as root: its packages, a base image, a network that leads nowhere.

Two engines after each other have the same data. One builds, in this computer's network and without a hand on its
firewall, because a build needs packages. The other runs, in a network namespace of its own, where it may do to firewall
and bridges what it likes, and from where nothing gets out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.compose.engine import Engine, EngineError

PACKAGES = ("docker.io", "iptables", "nftables", "mmdebstrap")
# Debian 12 has no compose v2 of its own; what the next one has is one static program each.
PLUGINS = ("docker-compose", "docker-buildx")
PLUGIN_RELEASE = "trixie"
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

BASE = "python:3.11-slim"
STAND_IN_RELEASE = "bookworm"  # its Python is 3.11
STAND_IN_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
PULL_PATIENCE = 90.0  # seconds for a registry to show that it is there
START_PATIENCE = 60.0  # seconds for an engine to answer
STOP_PATIENCE = 60.0
INSTALL_PATIENCE = 900.0

# It has what we need of the real one: `python` and `pip` of that version. It trusts whom this computer trusts.
STAND_IN = """
FROM p2pchat-stand-in:raw
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN rm -f /usr/lib/python3.*/EXTERNALLY-MANAGED \\
    && ln -sf /usr/bin/python3 /usr/local/bin/python && ln -sf /usr/bin/pip3 /usr/local/bin/pip
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
"""


def why_not() -> str:
    """Why there cannot be one, in a sentence; empty: it can be tried."""
    if os.geteuid() != 0:
        return "an engine of our own needs root"
    if shutil.which("apt-get") is None or not SOURCES.exists():
        return "an engine of our own needs Debian's packages"
    return ""


@dataclass(slots=True)
class PrivateEngine:
    """Everything of it is below `folder`, and goes with that."""

    folder: Path
    _daemon: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.folder / "config"),
            "DOCKER_BUILDKIT": "1",
        }

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "docker.sock"

    @property
    def engine(self) -> Engine:
        return Engine(self.environment, network="host")

    # ---- before the first start ---------------------------------------------------------------------------

    def install(self) -> None:
        """What is missing of Debian's packages, and the two programs of a newer Debian into the folder."""
        for name in ("run", "config/cli-plugins", "plugins"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        needed = [
            name for name in ("dockerd", "iptables", "mmdebstrap") if shutil.which(name) is None
        ]
        if needed:
            _quietly("apt-get", "update", "-qq")
            _quietly("apt-get", "install", "-yqq", "--no-install-recommends", *PACKAGES)
        plugins = self.folder / "config" / "cli-plugins"
        if not all((plugins / name).exists() for name in PLUGINS):
            self._fetch(plugins)

    def _fetch(self, plugins: Path) -> None:
        place = self.folder / "plugins"
        (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (place / "sources.list").write_text(
            f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {_mirror()} {PLUGIN_RELEASE} main\n"
        )
        elsewhere = (
            f"-oDir::Etc::sourcelist={place}/sources.list",
            "-oDir::Etc::sourceparts=/dev/null",
            f"-oDir::State::lists={place}/lists",
            f"-oDir::Cache={place}/cache",
            "-oAPT::Sandbox::User=root",
        )
        _quietly("apt-get", *elsewhere, "update", "-qq")
        _quietly("apt-get", *elsewhere, "download", "-qq", *PLUGINS, folder=place)
        for package in place.glob("*.deb"):
            _quietly("dpkg", "-x", str(package), str(place / "x"))
        for name in PLUGINS:
            shutil.copy2(place / "x" / "usr" / "libexec" / "docker" / "cli-plugins" / name, plugins)

    def prepare_base(self) -> str:
        """How the base image came to be there. The real one, if a registry can be reached."""
        if self.engine.try_to("image", "inspect", BASE).returncode == 0:
            return "there before"
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.engine.try_to("pull", "--quiet", BASE, patience=PULL_PATIENCE).returncode == 0:
                return "pulled"
        self._make_stand_in()
        return "a stand-in of Debian's packages: no registry was reached"

    def _make_stand_in(self) -> None:
        context = self.folder / "base"
        context.mkdir(exist_ok=True)
        tree = context / "tree.tar"
        include = f"--include={STAND_IN_PACKAGES}"
        _quietly("mmdebstrap", "--variant=apt", include, STAND_IN_RELEASE, str(tree), _mirror())
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.engine.run("import", "-c", f"ENV {path}", str(tree), "p2pchat-stand-in:raw")
        tree.unlink()
        shutil.copy(CERTIFICATES, context / "certificates.crt")
        (context / "Dockerfile").write_text(STAND_IN)
        self.engine.run("build", "--quiet", "--network", "host", "--tag", BASE, str(context))

    # ---- starting and stopping ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def building(self) -> Iterator[Engine]:
        hands_off = ("--iptables=false", "--ip6tables=false", "--ip-forward=false")
        with self._running([*self._dockerd(), *hands_off, "--ip-masq=false", "--bridge=none"]):
            yield self.engine

    @contextlib.contextmanager
    def secluded(self) -> Iterator[Engine]:
        shell = 'ip link set lo up; exec "$@"'
        with self._running(["unshare", "--net", "sh", "-c", shell, "sh", *self._dockerd()]):
            yield self.engine

    def _dockerd(self) -> list[str]:
        return [
            "dockerd",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/run/exec",
            f"--pidfile={self.folder}/run/docker.pid",
            f"--host=unix://{self.socket}",
        ]

    @contextlib.contextmanager
    def _running(self, command: Sequence[str]) -> Iterator[None]:
        (self.folder / "run" / "docker.pid").unlink(missing_ok=True)
        with (self.folder / "dockerd.log").open("ab") as log:
            daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            trio.run(self._until_it_answers, daemon)
            yield
        finally:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    async def _until_it_answers(self, daemon: subprocess.Popen[bytes]) -> None:
        with trio.move_on_after(START_PATIENCE):
            while daemon.poll() is None:
                if self.engine.try_to("version", patience=START_PATIENCE).returncode == 0:
                    return
                await trio.sleep(0.2)
        words = (self.folder / "dockerd.log").read_text(errors="replace").splitlines()[-5:]
        raise EngineError("the engine of our own did not start: " + " ".join(words))

    def remove(self) -> None:
        """Everything below the folder; what an engine leaves mounted there is unmounted first."""
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted(
            (each for each in mounts if each.startswith(f"{self.folder}/")), reverse=True
        ):
            subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def folder(kept: str) -> Iterator[PrivateEngine]:
    """In `kept`, for a faster next time; without, everything is gone in the end."""
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield PrivateEngine(Path(kept).absolute())
        return
    made = PrivateEngine(Path(tempfile.mkdtemp(prefix="p2pchat-engine-")))
    try:
        yield made
    finally:
        made.remove()


def _mirror() -> str:
    for line in SOURCES.read_text().splitlines():
        if line.startswith("URIs:"):
            return line.split()[1]
    raise EngineError(f"{SOURCES} names no mirror")


def _quietly(*command: str, folder: Path | None = None) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=False,
        timeout=INSTALL_PATIENCE,
    )
    if done.returncode:
        raise EngineError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
