from __future__ import annotations

from typing import cast

from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.builders import sender_bytes

NOBODY = cast(ActorRef, None)  # nothing is asked here


def test_transfers_are_counted_by_direction_and_state() -> None:
    ledger = Ledger(NOBODY, NOBODY)
    stored = [
        records.TransferRecord(peer=sender_bytes(number), outgoing=outgoing, state=state)
        for number, (outgoing, state) in enumerate(
            [(True, records.FINISHED)] * 2 + [(True, records.OFFERED), (False, records.FINISHED)]
        )
    ]
    ledger._records = {rules.key_of(record): record for record in stored}
    described = {(each.outgoing, each.state): each.count for each in ledger.describe().transfers}
    assert described == {
        (True, records.FINISHED): 2,
        (True, records.OFFERED): 1,
        (False, records.FINISHED): 1,
    }
    assert ledger.describe() != actors.FilesDescription()
