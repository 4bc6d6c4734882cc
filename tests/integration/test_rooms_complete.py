"""Real nodes on loopback: whatever happens to them, they end with the same messages in the same order."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.room_process import Member

EACH = (1700, 1700, 1600)  # messages from each of three members: 5,000 in all


def test_five_members_end_with_the_same_5000_messages(tmp_path: Path) -> None:
    """Three talk at full speed, one is killed in the middle and comes back, one comes late."""
    members: list[Member] = []
    try:
        for number in range(4):
            known = [member.address for member in members]
            members.append(Member(tmp_path / str(number), known))
        for member in members:
            member.until_members(3)
        talking = [
            threading.Thread(target=member.ask, args=(f"burst {count}", "said"))
            for member, count in zip(members, EACH, strict=False)
        ]
        for thread in talking:
            thread.start()
        victim = members.pop()
        victim.until_count(200)
        victim.kill()
        known = [member.address for member in members]
        members.append(Member(victim.folder, known))
        for thread in talking:
            thread.join()
        members.append(Member(tmp_path / "late", [members[0].address]))
        found = {member.until_count(sum(EACH)) for member in members}
        assert len(found) == 1
        assert found.pop()[0] == sum(EACH)
    finally:
        for member in members:
            member.end()
