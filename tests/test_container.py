"""What Dockerfile and compose.yml promise, as far as it can be read; `make compose-test` tries it out."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from p2pchat.node.adapters import left_out

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yml").read_text("utf-8")
LOCKS = ("requirements.lock", "requirements-workers.lock")
LEFT_OUT = [
    name
    for line in (DEPLOY / "left-out.txt").read_text("utf-8").splitlines()
    if (name := line.partition("#")[0].strip())
]


def pins(path: Path) -> dict[str, set[str]]:
    """The hashes of each `name==version` in a lock."""
    entries = re.split(r"\n(?=[a-z0-9])", path.read_text("utf-8"))[1:]
    return {
        re.split(r"[ \\;]", entry)[0]: set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry))
        for entry in entries
    }


def names(path: Path) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(path)}


# ---- locks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_the_image_has_the_versions_of_the_lock_with_their_hashes(lock: str) -> None:
    whole, here = pins(ROOT / "requirements.lock"), pins(DEPLOY / lock)
    assert len(here) > 40
    for pin, hashes in here.items():
        assert hashes, pin
        assert hashes == whole.get(pin), (
            f"{pin} is another one in requirements.lock: run `make lock`"
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_left_out_is_in_no_lock_of_the_image(lock: str) -> None:
    assert LEFT_OUT
    assert names(DEPLOY / lock).isdisjoint(LEFT_OUT)
    assert names(DEPLOY / lock).isdisjoint({"mypy", "pip", "pytest", "ruff", "setuptools", "uv"})


def test_everything_left_out_would_be_there_otherwise() -> None:
    """Else a line says nothing any more."""
    assert set(LEFT_OUT) <= names(ROOT / "requirements.lock")


def test_only_the_workers_need_tractor() -> None:
    lean, workers = (names(DEPLOY / lock) for lock in LOCKS)
    assert "tractor" not in lean
    assert "tractor" in workers
    assert lean <= workers


def test_secio_has_a_stand_in() -> None:
    """Without it libp2p cannot be imported where fastecdsa is left out."""
    assert "fastecdsa" in LEFT_OUT
    assert "libp2p.security.secio.transport" in left_out.MODULES


# ---- Dockerfile -------------------------------------------------------------------------------------------


def stages() -> dict[str, list[str]]:
    """The instructions of each stage of the Dockerfile, by its name, continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    found: dict[str, list[str]] = {}
    for line in lines:
        if start := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            assert start[1] == "python:3.11-slim"
            found[start[2]] = []
        else:
            found[list(found)[-1]].append(line)
    return found


def test_everything_is_installed_by_hash() -> None:
    installs = re.findall(r"pip\S* .*?(?:install|wheel) [^&\n]*", "\n".join(stages()["builder"]))
    assert len(installs) >= 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install
        assert "--no-deps" in install


def test_the_image_is_the_last_stage_and_installs_nothing() -> None:
    assert list(stages()) == ["builder", "router", "p2pchat"]
    commands = "\n".join(stages()["p2pchat"])
    assert not re.search(r"apt|pip install|pip wheel|gcc", commands)


def test_the_image_is_nobody_in_particular_and_says_how_it_does() -> None:
    commands = stages()["p2pchat"]
    assert "USER 10001:10001" in commands
    assert "VOLUME /data" in commands
    assert 'ENTRYPOINT ["p2pchat"]' in commands
    assert "STOPSIGNAL SIGTERM" in commands
    checks = [line for line in commands if line.startswith("HEALTHCHECK")]
    assert len(checks) == 1
    assert checks[0].endswith('CMD ["p2pchat", "health"]')


@pytest.mark.parametrize(
    "path",
    [
        "compose.yml",
        ".dockerignore",
        "deploy/Dockerfile",
        "deploy/router.sh",
        "deploy/left-out.txt",
    ],
)
def test_no_host_is_named(path: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"\b[\w-]+\.(com|io|org|net|dev)\b", text.replace("com.docker", ""))


def test_only_what_is_named_reaches_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = {
        source.rstrip("/")
        for lines in stages().values()
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    admitted = {rule.removeprefix("!/") for rule in rules if rule.startswith("!")}
    for source in copied:
        assert source in admitted or f"{Path(source).parent}/*{Path(source).suffix}" in admitted, (
            source
        )


# ---- compose.yml ------------------------------------------------------------------------------------------


def blocks(text: str, indent: int) -> Iterator[tuple[str, str]]:
    """The keys at an indentation, and what stands below each."""
    key = re.compile(rf"^ {{{indent}}}([\w.-]+):(.*)$")
    name, lines = "", list[str]()
    for line in text.splitlines():
        if found := key.match(line):
            if name:
                yield name, "\n".join(lines)
            name, lines = found[1], [found[2]]
        elif name:
            lines.append(line)
    if name:
        yield name, "\n".join(lines)


TOP: Mapping[str, str] = dict(blocks(COMPOSE, 0))
SERVICES: Mapping[str, str] = dict(blocks(TOP["services"], 2))


def whole(text: str) -> str:
    """With what it takes over by `<<: *name`, and what that takes over."""
    merged = re.search(r"<<: \*(\w+)", text)
    if merged is None:
        return text
    source = next(block for block in TOP.values() if block.startswith(f" &{merged[1]}\n"))
    return text + "\n" + whole(source)


def test_the_roles_are_there() -> None:
    chat = {name for name, text in SERVICES.items() if "profiles:" not in whole(text)}
    assert chat == {"bootstrap", "mailbox-1", "mailbox-2", "node"}
    profiles = {
        name: re.findall(r"profiles: \[(\w+)\]", whole(text)) for name, text in SERVICES.items()
    }
    assert {"router-a", "router-b", "mailbox-public", "node-a", "node-b"} <= {
        name for name, found in profiles.items() if found == ["nat"]
    }
    assert {name for name, found in profiles.items() if found == ["faults"]} == {"member", "driver"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    text = whole(SERVICES[name])
    for promise in (
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "init: true",
        "healthcheck:",
        "mem_limit:",
        "pids_limit:",
        "cpus:",
    ):
        assert promise in text, promise
    assert "privileged" not in text
    assert "ports:" not in text
    assert "network_mode: host" not in text


@pytest.mark.parametrize("name", SERVICES)
def test_rights_have_only_those_that_need_them(name: str) -> None:
    text = whole(SERVICES[name])
    is_router = "-router" in re.findall(r"image: (\S+)", text)[0]
    assert ("cap_add: [NET_ADMIN]" in text) == is_router
    assert ("docker.sock" in SERVICES[name]) == (name == "driver")
    assert ("user:" in SERVICES[name]) == (name == "driver")


def test_every_image_is_built_by_one_who_starts_with_those_that_have_it() -> None:
    """And by as few as possible: each that builds makes an image of its own."""
    built = {name for name, text in SERVICES.items() if "build: *build" in text}
    assert built == {"bootstrap", "mailbox-public", "router-a", "router-b"}
    assert "after-mailboxes" in SERVICES["member"] + SERVICES["node"]  # and so with bootstrap
    for name, text in SERVICES.items():  # nobody's registry is asked for an image of that name
        policy = "missing" if name in built else "never"
        assert re.findall(r"pull_policy: (\w+)", whole(text))[0] == policy
    for side in "ab":
        assert "mailbox-public: {condition" in SERVICES[f"node-{side}"]
        assert f"router-{side}: {{condition" in SERVICES[f"home-{side}"]


def test_nobody_starts_before_those_whom_it_needs() -> None:
    assert "service_started" not in COMPOSE
    for name in ("mailbox-1", "mailbox-2"):
        assert "after-bootstrap" in SERVICES[name]
    for name in ("node", "member"):
        assert "after-mailboxes" in SERVICES[name]
    assert "bootstrap: {condition: service_healthy}" in SERVICES["mailbox-1"]
    assert "mailbox-2: {condition: service_healthy}" in SERVICES["node"]


def test_data_of_mailboxes_has_names() -> None:
    volumes = {name for name, _ in blocks(TOP["volumes"], 2)}
    for name in ("bootstrap", "mailbox-1", "mailbox-2", "mailbox-public", "node-a", "node-b"):
        assert f'"{name}:/data"' in SERVICES[name]
        assert name in volumes
