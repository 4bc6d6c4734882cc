"""Both stores do the same about direct messages, whatever is done to them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.direct_builders import (
    envelope,
    incoming,
    message_id,
    outgoing,
    peer_text,
    update,
)

NUMBERS = st.integers(0, 7)
PEERS = st.integers(0, 1)
ENVELOPES = st.none() | st.builds(envelope, NUMBERS)
STAGES = st.none() | st.sampled_from([records.SENDING, records.STORED, records.READ])
IDS = st.lists(st.builds(message_id, NUMBERS), max_size=4)
ENVELOPE_IDS = st.builds(lambda number: envelope_id(envelope(number)), NUMBERS)
SAVES = st.one_of(
    st.builds(
        incoming,
        NUMBERS,
        peer=PEERS,
        receipt_due=st.booleans(),
        spooled=st.just(b"") | ENVELOPE_IDS,
    ),
    st.builds(outgoing, NUMBERS, peer=PEERS, envelope=ENVELOPES, record_sequence=NUMBERS),
)
UPDATES = st.builds(
    update,
    NUMBERS,
    stage=STAGES,
    finished=st.booleans(),
    peer=PEERS,
    envelope=ENVELOPES,
    record_sequence=NUMBERS,
)
RECEIPTS = st.builds(actors.PeerReceipts, peer=st.builds(peer_text, PEERS), delivered=IDS, read=IDS)
STEPS = st.one_of(
    st.tuples(st.just("save_direct"), st.lists(SAVES, max_size=6)),
    st.tuples(st.just("update_outbox"), st.lists(UPDATES, max_size=4)),
    st.tuples(st.just("spool"), st.lists(st.builds(envelope, NUMBERS), max_size=4)),
    st.tuples(st.just("drop_spooled"), st.lists(ENVELOPE_IDS, max_size=3)),
    st.tuples(st.just("mark_read"), st.builds(peer_text, PEERS), IDS, st.booleans()),
    st.tuples(st.just("settle_receipts"), RECEIPTS),
    st.tuples(st.just("close")),
)


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(STEPS, max_size=15))
def test_both_stores_do_the_same(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores: list[MessageStore] = [MemoryStore(), RocksdbStore(Path(folder))]
        for store in stores:
            store.open()
        for verb, *arguments in steps:
            seen = []
            for store in stores:
                answer: object = getattr(store, verb)(*arguments)
                if verb == "close":
                    store.open()
                seen.append((answer, _everything(store)))
            assert seen[0] == seen[1]
        for store in stores:
            store.close()


def _everything(store: MessageStore) -> list[object]:
    ids = list(map(message_id, range(8)))
    whole: list[object] = [store.spooled(3), store.spooled(100), store.due_receipts(3)]
    whole += [store.due_receipts(100), [r.id for r in store.outbox(100).records]]
    for peer in map(peer_text, range(2)):
        whole += [store.direct_history(peer, 100), store.conversation_head(peer)]
        whole.append(store.outbox_entries(peer, ids))
    page = store.outbox(2)
    whole.append(list(page.records))
    while page.last:
        page = store.outbox(2, page.last)
        whole.append(list(page.records))
    return whole
