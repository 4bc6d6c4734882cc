"""`Files` in memory: for simulations and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from p2pchat.node.errors import FileChangedError, FileDamagedError, FileError
from p2pchat.node.ports import FileFacts
from p2pchat.node.protocol import file_names

CAPACITY = 1 << 34  # bytes of its disk
FOLDER = "/downloads/"


class MemoryFiles:
    """`own` are files that can be sent, by path; `downloads` those that were taken, by name."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity  # bytes; may be changed
        self.own: dict[str, bytes] = {}
        self.downloads: dict[str, bytes] = {}
        self.partial: dict[str, bytearray] = {}
        self._versions: dict[str, int] = {}

    def put(self, path: str, data: bytes) -> None:
        """Write an own file, again too."""
        self.own[path] = data
        self._versions[path] = self._versions.get(path, 0) + 1

    def describe(self, path: str) -> FileFacts:
        if path not in self.own:
            raise FileError(f"{path} cannot be read: No such file or directory.")
        data, name = self.own[path], file_names.to_offer(path.rpartition("/")[2])
        digest = hashlib.sha256(data).digest()
        return FileFacts(path, name, len(data), self._versions[path], digest)

    def read(self, facts: FileFacts, offset: int, length: int) -> bytes:
        if self._versions.get(facts.path) != facts.modified_ns:
            raise FileChangedError(f"{facts.path} has changed since it was offered.")
        return self.own[facts.path][offset : offset + length]

    def free_bytes(self) -> int:
        used = sum(map(len, self.downloads.values())) + sum(map(len, self.partial.values()))
        return max(0, self.capacity - used)

    def write(self, partial: str, offset: int, data: bytes, *, sync: bool) -> None:
        held = self.partial.get(partial, bytearray())
        if offset + len(data) - len(held) > self.free_bytes():
            raise FileError("The disk is full.")
        held.extend(bytes(max(0, offset + len(data) - len(held))))
        held[offset : offset + len(data)] = data
        self.partial[partial] = held

    def partial_size(self, partial: str) -> int:
        return len(self.partial.get(partial, b""))

    def partials(self) -> Sequence[str]:
        return list(self.partial)

    def digest(self, partial: str, size: int) -> bytes:
        held = self.partial.get(partial)
        if held is None or len(held) < size:
            raise FileDamagedError("Some of a file that is being taken has vanished.")
        del held[size:]
        return hashlib.sha256(held).digest()

    def free_path(self, name: str) -> str:
        return FOLDER + file_names.unique(name, self.downloads)

    def publish(self, partial: str, path: str) -> bool:
        name = path.removeprefix(FOLDER)
        if partial not in self.partial:
            return name in self.downloads
        if name in self.downloads:
            return False
        self.downloads[name] = bytes(self.partial.pop(partial))
        return True

    def drop(self, partial: str) -> None:
        self.partial.pop(partial, None)
