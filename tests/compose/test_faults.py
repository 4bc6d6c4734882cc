"""The driver in its container: whole traffic, faults and verdict."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.compose import figures
from tests.compose.conftest import Bed
from tests.compose.engine import EngineError
from tests.compose.project import living, socket_of

pytestmark = pytest.mark.compose

SECONDS = os.environ.get("FAULTS_SECONDS", "60")
PATIENCE = 600.0 + float(SECONDS)  # seconds


def test_nothing_receipted_is_lost_or_doubled(bed: Bed, tmp_path: Path) -> None:
    if not socket_of(bed.engine):
        pytest.skip("the engine has no socket on this machine that a container could be given")
    project = bed.project("faults")
    with living(project, "member", profile="faults"):
        command = project.words(
            "up", "--no-build", "--exit-code-from", "driver", "driver", profile="faults"
        )
        done = project.engine.try_to(*command, patience=PATIENCE)
        # Out of the volume, whatever came of it.
        copied = project.engine.try_to(
            *project.words("cp", "driver:/report/report.json", str(tmp_path), profile="faults")
        )
        if copied.returncode:
            raise EngineError(f"there is no report: {done.stdout[-3000:]} {done.stderr[-3000:]}")
    report = json.loads((tmp_path / "report.json").read_text())
    verdict = report["verdict"]
    assert verdict is not None, f"{report['problem']}\n{done.stdout[-3000:]}"
    for name in ("sent", "receipted", "arrived", "lost", "doubled"):
        figures.note(f"faults: {name}", str(verdict[name]))
    assert done.returncode == 0, verdict
    assert (verdict["lost"], verdict["doubled"]) == (0, 0)
    assert verdict["receipted"] > 0
    done_to = {fault["kind"] for fault in report["faults"]}
    figures.note("faults: done", ", ".join(sorted(done_to)))
    assert {"kill", "stop", "disconnect", "partition"} <= done_to
