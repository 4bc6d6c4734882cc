"""js-libp2p, or the reason why these tests cannot run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import packages


@pytest.fixture(scope="session")
def js_folder() -> Path:
    """Where the scripts can be run."""
    try:
        return packages.install()
    except packages.NotHereError as reason:
        pytest.skip(str(reason))
