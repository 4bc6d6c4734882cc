"""An own file that was offered, as its transfer remembers it."""

from __future__ import annotations

from p2pchat.node.ports import FileFacts
from p2pchat.node.protocol.file_transfer import Transfer


def facts_of(record: Transfer) -> FileFacts:
    offer = record.offer
    return FileFacts(record.path, offer.name, offer.size, record.modified_ns, offer.digest)
