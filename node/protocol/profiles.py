"""What the node remembers about its owner between two runs, changed one thing at a time.

Rooms stand in order of last use: the last one is the one to come back to.
"""

from __future__ import annotations

from p2pchat.proto import records_pb2 as records


def with_name(profile: records.Profile, name: str) -> records.Profile:
    changed = _copy(profile)
    changed.name = name
    return changed


def with_room(profile: records.Profile, room: str, *, plain: bool) -> records.Profile:
    """The room stands last; its kind is what it was joined as this time."""
    changed = without_room(profile, room)
    changed.rooms.add(name=room, plain=plain)
    return changed


def without_room(profile: records.Profile, room: str) -> records.Profile:
    changed = _copy(profile)
    del changed.rooms[:]
    changed.rooms.extend(entry for entry in profile.rooms if entry.name != room)
    return changed


def _copy(profile: records.Profile) -> records.Profile:
    changed = records.Profile()
    changed.CopyFrom(profile)
    return changed
