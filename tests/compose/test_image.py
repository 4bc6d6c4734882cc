"""The image itself: what is in it, and that the whole program works without a right and on a root that is read only."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.compose import figures
from tests.compose.conftest import Bed
from tests.compose.engine import ROOT, EngineError
from tests.compose.project import until

pytestmark = pytest.mark.compose

MOST = 200 * figures.MEGABYTE  # bytes that we may add to the base image
CONFINED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"),
    *("--security-opt", "no-new-privileges"),
)
# Names of distributions, and what they are imported as where that is not the same.
MODULES = {
    "importlib-metadata": "importlib_metadata",
    "linkify-it-py": "linkify_it",
    "lru-dict": "lru",
    "mdit-py-plugins": "mdit_py_plugins",
    "mypy-extensions": "mypy_extensions",
    "mypy-protobuf": "mypy_protobuf",
    "trio-websocket": "trio_websocket",
}
LARGEST = """
import importlib.metadata as metadata, importlib.util as util, json, os
sizes = {}
for each in metadata.distributions():
    files = [str(each.locate_file(file)) for file in each.files or []]
    files += [util.cache_from_source(file) for file in files if file.endswith(".py")]
    sizes[each.name] = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
print(json.dumps(sizes))
"""


def left_out() -> list[str]:
    lines = (ROOT / "deploy" / "left-out.txt").read_text().splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def inside(bed: Bed, *command: str) -> str:
    program, *words = command
    where = ("--rm", *CONFINED, "--entrypoint", program, bed.image)
    return bed.engine.run("run", *where, *words)


def size(bed: Bed, image: str) -> int:
    return int(bed.engine.run("image", "inspect", "--format", "{{.Size}}", image))


def test_its_size(bed: Bed) -> None:
    whole, base = size(bed, bed.image), size(bed, bed.base)
    figures.note(
        "image", f"{figures.megabytes(whole)}, {figures.megabytes(whole - base)} on its base"
    )
    sizes: dict[str, int] = json.loads(inside(bed, "python", "-c", LARGEST))
    for name in sorted(sizes, key=lambda name: -sizes[name])[:8]:
        figures.note(f"  {name}", f"{sizes[name] / figures.MEGABYTE:.1f} MB")
    figures.note("  packages in all", f"{len(sizes)}, {figures.megabytes(sum(sizes.values()))}")
    assert whole - base < MOST


def test_nothing_in_it_installs_or_compiles(bed: Bed) -> None:
    found = inside(bed, "sh", "-c", "command -v pip pip3 uv cc gcc make; true")
    assert found == ""
    found = inside(bed, "python", "-c", _importable(["pip", "setuptools", "uv", "ensurepip"]))
    assert json.loads(found) == []


def test_what_is_left_out_is_not_there(bed: Bed) -> None:
    modules = [MODULES.get(name, name) for name in left_out() if not name.startswith("types-")]
    assert json.loads(inside(bed, "python", "-c", _importable([*modules, "tractor"]))) == []


def _importable(modules: list[str]) -> str:
    return (
        f"import importlib.util, json; names = {modules!r}; "
        "print(json.dumps([name for name in names if importlib.util.find_spec(name)]))"
    )


def test_workers_are_there_when_they_are_asked_for(bed: Bed) -> None:
    where = ("--rm", *CONFINED, "--entrypoint", "python", f"{bed.image}-workers")
    assert json.loads(bed.engine.run("run", *where, "-c", _importable(["tractor"]))) == ["tractor"]


def test_it_is_nobody_in_particular(bed: Bed) -> None:
    assert inside(bed, "id", "-u") == "10001\n"
    status = inside(bed, "cat", "/proc/self/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    with pytest.raises(EngineError, match="Read-only file system"):
        inside(bed, "touch", "/opt/p2pchat/something")


def test_without_a_node_it_is_not_healthy(bed: Bed) -> None:
    with pytest.raises(EngineError, match="Nothing runs on /data"):
        inside(bed, "p2pchat", "health")


@pytest.fixture(params=["node --headless --bootstrap none --no-mdns", "mailbox --bootstrap none"])
def running(bed: Bed, request: pytest.FixtureRequest) -> Iterator[tuple[Bed, str, str]]:
    """A container of each role with everything that it can open: its engine, its id, and its role."""
    words = [*request.param.split(), "--metrics", "127.0.0.1:9464"]
    container = bed.engine.run("run", "--detach", *CONFINED, bed.image, *words).strip()
    try:
        until(
            lambda: bed.engine.try_to("exec", container, "p2pchat", "health").returncode == 0,
            f"{request.param} answers",
        )
        yield bed, container, words[0]
    finally:
        bed.engine.run("rm", "--force", "--volumes", container)


def test_the_whole_program_works(running: tuple[Bed, str, str]) -> None:
    bed, container, role = running

    def p2pchat(*words: str) -> str:
        return bed.engine.run("exec", container, "p2pchat", *words)

    assert p2pchat("health") == f"The {role} answers.\n"
    assert "Usage" in p2pchat("--help")
    # Its exit code says that nobody is connected, which is true here.
    told = bed.engine.try_to("exec", container, "p2pchat", "doctor", "--json").stdout
    assert {"name": "disk", "verdict": "OK"}.items() <= _check("disk", told).items()
    bed.engine.run("exec", container, "sh", "-c", "echo secret words for a test >/tmp/secret")
    p2pchat("backup", "/tmp/backup", "--passphrase-file", "/tmp/secret")
    fetch = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
    assert "p2pchat_" in bed.engine.run("exec", container, "python", "-c", fetch)
    if role == "mailbox":
        assert json.loads(p2pchat("mailbox", "status", "--json"))["peer"].startswith("12D3")
        assert "p2pchat:mailbox/" in p2pchat("mailbox", "invites")
    else:
        p2pchat("send", "--room", "p2pchat-default", "hello")
        assert "hello" in p2pchat("history", "--room", "p2pchat-default")
        assert "p2pchat:peer/" in p2pchat("link")


def _check(name: str, told: str) -> dict[str, str]:
    [found] = [check for check in json.loads(told)["checks"] if check["name"] == name]
    return dict(found)


def test_it_stops_in_order_and_comes_back_as_the_same(running: tuple[Bed, str, str]) -> None:
    bed, container, _ = running
    before = bed.engine.run("exec", container, "p2pchat", "identity", "show")
    bed.engine.run("stop", "--time", "15", container)
    state = json.loads(bed.engine.run("inspect", "--format", "{{json .State}}", container))
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    bed.engine.run("start", container)
    until(
        lambda: bed.engine.try_to("exec", container, "p2pchat", "health").returncode == 0,
        "it answers again",
    )
    assert bed.engine.run("exec", container, "p2pchat", "identity", "show") == before
