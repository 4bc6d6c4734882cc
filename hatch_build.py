"""Build hook: makes an editable install find the top-level folders as `p2pchat.<folder>`.

Hatchling's `sources` renames folders in a wheel only. For an editable install a folder `build/dev/p2pchat/`
of symbolic links does the same, and `build/dev` (`dev-mode-dirs`) goes on the import path.
"""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LinkSourceFolders(BuildHookInterface[Any]):
    """Links every folder that the wheel would hold."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            return
        root = Path(self.root)
        dev = root / self.build_config.dev_mode_dirs[0]
        for folder, package in self.build_config.sources.items():
            # Hatchling ends both names with a separator.
            link(root / folder.rstrip(os.sep), dev / package.rstrip(os.sep))


def link(folder: Path, at: Path) -> None:
    """Makes `at` a link to `folder`, relative so that it names no machine's path; keeps one that is right."""
    target = os.path.relpath(folder, at.parent)
    if at.is_symlink() and os.readlink(at) == target:
        return
    at.parent.mkdir(parents=True, exist_ok=True)
    at.unlink(missing_ok=True)
    at.symlink_to(target, target_is_directory=True)
