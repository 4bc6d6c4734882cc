"""Every field is there, and numbers are numbers."""

from __future__ import annotations

from p2pchat.cli.json_output import as_data
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records


def test_every_kind_of_field() -> None:
    message = actors.MailboxDescription(peer="p", uptime_ms=1 << 60, counters={"b": 2, "a": 1})
    message.limits.add(name="rate", value=0.5)
    data = as_data(message)
    assert data["peer"] == "p"
    assert data["uptime_ms"] == 1 << 60
    assert list(data["counters"].items()) == [("a", 1), ("b", 2)]
    assert data["limits"] == [{"name": "rate", "value": 0.5, "unit": "", "bitten": 0}]
    assert data["addresses"] == []
    assert data["relay"] is None
    assert set(data) == {field.name for field in message.DESCRIPTOR.fields}


def test_bytes_and_enums() -> None:
    data = as_data(records.Delivery(stage=records.STORED, stored_at=[b"\x01\xff"]))
    assert data["stage"] == "STORED"
    assert data["stored_at"] == ["01ff"]
