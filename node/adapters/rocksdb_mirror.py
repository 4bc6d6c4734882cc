"""A folder that looks like a database's and is not: for reading one that another process may have open.

rocksdict writes its own file, rocksdict-config.json, whenever it opens something, also for reading only; whoever opens
the database at that moment could find it half written.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_OWN_FILE = "rocksdict-config.json"
_NOT_FOR_READING = frozenset({"LOCK", "LOG"})


class Mirror:
    """Links to the files of the database in `path`, as they are now, in a folder of their own for temporary files."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError`; without a database in it as well."""
        (path / "CURRENT").stat()
        self._folder = tempfile.TemporaryDirectory(prefix="p2pchat-")
        self.path = Path(self._folder.name)
        try:
            self._fill(path.absolute())
        except BaseException:
            self.remove()
            raise

    def _fill(self, source: Path) -> None:
        for name in os.listdir(source):
            if name == _OWN_FILE:
                shutil.copyfile(source / name, self.path / name)
            elif name not in _NOT_FOR_READING:
                os.symlink(source / name, self.path / name)

    def remove(self) -> None:
        self._folder.cleanup()
