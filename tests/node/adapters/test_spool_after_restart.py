"""What a mailbox has handed over is seen in the same life, whatever an earlier life has left in the spool."""

from __future__ import annotations

from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.protocol.envelope import envelope_id
from tests.direct_builders import envelope


def test_new_mail_behind_left_over_mail_is_found(tmp_path: Path) -> None:
    before = RocksdbStore(tmp_path)
    before.open()
    before.spool([envelope(number) for number in range(4)])
    before.close()
    store = RocksdbStore(tmp_path)
    store.open()
    for _ in range(2):
        page = store.spooled(2)
        assert len(page) == 2
        store.drop_spooled([envelope_id(one) for one in page])
    new = [envelope(number) for number in (10, 11, 12)]
    store.spool(new)
    found = store.spooled(10)
    store.close()
    assert found == new
