"""Holds the import table: which part of p2pchat may import which, and who may use which library.

A part is a top-level folder, or inside `node` a module or folder. Imports under `TYPE_CHECKING` count: a type
that is needed is a dependency too.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("node", "relay_mailbox", "proto", "cli")
NODE_PARTS = frozenset(
    f"node.{name}"
    for name in (
        "actors",
        "adapters",
        "app",
        "backoff",
        "backup",
        "config",
        "control",
        "errors",
        "events",
        "glance",
        "identity",
        "metrics",
        "ports",
        "protocol",
        "runtime",
        "version",
    )
)

# What each part may import of p2pchat, besides itself. A new part needs a row, which is the moment to think.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "proto": frozenset(),
    "node": frozenset(),
    "node.backoff": frozenset(),  # a formula that both retrying and restarting need
    "node.errors": frozenset(),
    "node.version": frozenset(),
    "node.events": frozenset({"proto"}),
    "node.ports": frozenset({"node.config", "node.protocol", "proto"}),
    "node.protocol": frozenset({"node.backoff", "proto"}),
    "node.runtime": frozenset({"node.backoff", "node.errors", "proto"}),
    "node.config": frozenset({"node.errors", "node.protocol"}),
    "node.identity": frozenset({"node.errors", "node.protocol"}),
    "node.adapters": frozenset(
        {"node.ports", "node.errors", "node.protocol", "node.config", "node.identity", "proto"}
    ),
    "node.actors": frozenset(
        {
            "node.backoff",
            "node.runtime",
            "node.protocol",
            "node.ports",
            "node.errors",
            "node.config",
            "node.events",
            "proto",
        }
    ),
    "node.backup": frozenset(
        {"node.adapters", "node.errors", "node.identity", "node.protocol", "proto"}
    ),
    "node.control": frozenset(
        {
            "node.adapters",
            "node.config",
            "node.errors",
            "node.events",
            "node.identity",
            "node.protocol",
            "node.runtime",
            "node.version",
            "proto",
        }
    ),
    # Also of the process that starts a mailbox's workers, which has no node: no actors, and not `app`.
    "node.metrics": frozenset(
        {
            "node.adapters",
            "node.errors",
            "node.protocol",
            "node.runtime",
            "node.version",
            "proto",
        }
    ),
    # Apart from `app`, which loads all of a node: it is for the time before there is one.
    "node.glance": frozenset({"node.adapters", "node.errors", "node.protocol", "proto"}),
    "node.app": NODE_PARTS | {"proto"},
    "relay_mailbox": NODE_PARTS | {"proto"},
    # Front ends go through `app`: what it joins is none of their business.
    "cli": (NODE_PARTS - {"node.actors", "node.adapters"}) | {"relay_mailbox", "proto"},
}

# Libraries that only some parts may import; every other library is free.
ONLY_IN: dict[str, frozenset[str]] = {
    # Another network or store is another adapter, and nothing else.
    **dict.fromkeys(
        ("libp2p", "miniupnpc", "rocksdict", "sqlite3", "zeroconf"), frozenset({"node.adapters"})
    ),
    # A parser without I/O: wire formats of libp2p carry addresses in its binary form.
    "multiaddr": frozenset({"node.adapters", "node.protocol"}),
    **dict.fromkeys(("prompt_toolkit", "rich", "textual", "typer"), frozenset({"cli"})),
    # libp2p must not meet it: see left_out.
    "prometheus_client": frozenset({"node.adapters"}),
    # Behind one module there: another supervisor of processes can take its place.
    "tractor": frozenset({"relay_mailbox"}),
    # One side serves, the other asks; in between are actors.
    "grpc": frozenset({"node.adapters", "cli"}),
}

# `protocol` is logic without I/O: the time comes in as an argument, and chance as a `Random`.
FORBIDDEN_IN_PROTOCOL = frozenset(
    {"anyio", "asyncio", "grpc", "socket", "subprocess", "threading", "time", "trio"}
)

# Configuration is read once, by the command line.
MAY_READ_ENVIRONMENT = frozenset({"cli"})
ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb", "putenv"})


def part_of(module: str) -> str:
    """Returns the part that `module` (without the leading `p2pchat.`) belongs to."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "node" else names[0]


def module_of(path: Path, root: Path) -> str:
    """Returns the name under which a file is imported, without the leading `p2pchat.`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported_names(node: ast.AST, package: str) -> Iterator[str]:
    """Yields the full name of everything that one syntax node imports into a module of `package`."""
    match node:
        case ast.Import(names=names):
            yield from (name.name for name in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = absolute(module or "", level, package)
            # `from p2pchat import node` and `from p2pchat.node import ports` name a part only at the end.
            deeper = base in ("p2pchat", "p2pchat.node")
            yield from (f"{base}.{name.name}" if deeper else base for name in names)
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name


def absolute(module: str, level: int, package: str) -> str:
    """Resolves a relative import: one dot is the package itself, each further dot its parent."""
    if level == 0:
        return module
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - level + 1], *([module] if module else [])])


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in ENVIRONMENT
        case ast.ImportFrom(module="os", names=names):
            return any(name.name in ENVIRONMENT for name in names)
    return False


def complaint_about(part: str, name: str) -> str | None:
    """Says why `part` may not import `name`, if it may not."""
    top, _, rest = name.partition(".")
    if top in FOLDERS:
        return f"imports {name}, which is another package: say p2pchat.{name}"
    if top == "p2pchat":
        return complaint_about_part(part, part_of(rest))
    if part not in ONLY_IN.get(top, {part}):
        return f"imports {top}: only {', '.join(sorted(ONLY_IN[top]))} may"
    if part == "node.protocol" and top in FORBIDDEN_IN_PROTOCOL:
        return f"imports {top}: node.protocol is logic without I/O or clock"
    return None


def complaint_about_part(part: str, target: str) -> str | None:
    if target == part or target in MAY_IMPORT.get(part, ()):
        return None
    if target not in MAY_IMPORT:
        return f"imports p2pchat.{target}, which has no row in MAY_IMPORT"
    allowed = ", ".join(sorted(MAY_IMPORT.get(part, ()))) or "nothing else of p2pchat"
    return f"imports p2pchat.{target}: {part} may import {allowed}"


def complaints(path: Path, root: Path) -> Iterator[str]:
    """Yields one line for each forbidden thing in a source file."""
    module = module_of(path, root)
    part = part_of(module)
    where = path.relative_to(root)
    if part not in MAY_IMPORT:
        yield f"{where}: {part} has no row in MAY_IMPORT"
    package = (
        f"p2pchat.{module}"
        if path.name == "__init__.py"
        else f"p2pchat.{module}".rpartition(".")[0]
    )
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(where))):
        line = getattr(node, "lineno", 0)
        found = (complaint_about(part, name) for name in imported_names(node, package))
        yield from (f"{where}:{line}: {text}" for text in sorted({t for t in found if t}))
        if reads_environment(node) and part not in MAY_READ_ENVIRONMENT:
            yield f"{where}:{line}: reads the environment: only cli may, into NodeConfig"


def sources(root: Path, folders: Iterable[str]) -> list[Path]:
    """Returns our own files: generated code is protoc's, and generate.py a tool that nothing imports."""
    found = (path for folder in folders for path in (root / folder).rglob("*.py"))
    return sorted(path for path in found if "_pb2" not in path.name)


def test_source_holds_the_import_table() -> None:
    found = [line for path in sources(ROOT, FOLDERS) for line in complaints(path, ROOT)]
    assert not found, "\n" + "\n".join(found)


def test_tests_import_p2pchat_by_its_full_name() -> None:
    bare = [
        f"{path.relative_to(ROOT)}: imports {name}"
        for path in sources(ROOT, ["tests"])
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported_names(node, "tests")
        if name.partition(".")[0] in FOLDERS
    ]
    assert not bare, "\n" + "\n".join(bare)


def test_table_points_one_way() -> None:
    """No two parts may import each other, directly or round a corner."""
    done: set[str] = set()
    waiting = {part: targets - {part} for part, targets in MAY_IMPORT.items()}
    while ready := [part for part, targets in waiting.items() if targets <= done]:
        done.update(ready)
        waiting = {part: targets for part, targets in waiting.items() if part not in done}
    assert not waiting


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("node/protocol/a.py", "import trio", "node.protocol is logic without I/O"),
        ("node/protocol/a.py", "from p2pchat.node import ports", "imports p2pchat.node.ports"),
        ("node/protocol/a.py", "from ..errors import X", "imports p2pchat.node.errors"),
        ("node/protocol/__init__.py", "from .. import errors", "imports p2pchat.node.errors"),
        ("node/runtime/a.py", "import p2pchat.node.ports", "may import node.backoff, node.errors"),
        (
            "node/ports.py",
            "from .identity import X",
            "may import node.config, node.protocol, proto",
        ),
        (
            "node/actors/a.py",
            "from p2pchat.node.adapters.x import X",
            "imports p2pchat.node.adapters",
        ),
        (
            "node/actors/a.py",
            "from libp2p.crypto import keys",
            "imports libp2p: only node.adapters",
        ),
        ("node/app.py", "import rocksdict", "imports rocksdict: only node.adapters"),
        ("node/app.py", "from p2pchat.cli import main", "imports p2pchat.cli"),
        ("node/app.py", "import os\nos.environ.get('X')", "node/app.py:2: reads the environment"),
        ("node/app.py", "from os import getenv", "reads the environment"),
        ("node/app.py", "import node.ports", "say p2pchat.node.ports"),
        ("node/app.py", "from proto import wire_pb2", "say p2pchat.proto"),
        ("node/new.py", "", "node.new has no row"),
        ("proto/a.py", "from p2pchat.node.errors import X", "imports p2pchat.node.errors"),
        ("relay_mailbox/a.py", "import p2pchat.cli.main", "imports p2pchat.cli"),
        ("cli/a.py", "from p2pchat.node.actors import ui", "imports p2pchat.node.actors"),
        ("cli/a.py", "import_module('p2pchat.node.actors.ui')", "imports p2pchat.node.actors"),
        (
            "node/runtime/a.py",
            "if TYPE_CHECKING:\n    from p2pchat.node.app import X",
            "node/runtime/a.py:2: imports p2pchat.node.app",
        ),
        ("node/runtime/a.py", "def f():\n    import libp2p", "node/runtime/a.py:2: imports libp2p"),
    ],
)
def test_checker_finds_what_is_forbidden(
    tmp_path: Path, file: str, source: str, expected: str
) -> None:
    found = list(complaints(sample(tmp_path, file, source), tmp_path))
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "node/protocol/a.py",
            "import hashlib\nfrom p2pchat.proto import wire_pb2\nfrom . import b",
        ),
        ("node/runtime/a.py", "import trio\nfrom p2pchat.node.errors import X"),
        ("node/adapters/a.py", "import libp2p\nfrom p2pchat.node import config, ports"),
        ("node/app.py", "import p2pchat.node.actors.ui, p2pchat.node.adapters.libp2p_network"),
        ("cli/a.py", "import os\nos.environ\nfrom p2pchat.node.app import run_node"),
    ],
)
def test_checker_lets_the_rest_pass(tmp_path: Path, file: str, source: str) -> None:
    assert list(complaints(sample(tmp_path, file, source), tmp_path)) == []


def sample(root: Path, file: str, source: str) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    return path
