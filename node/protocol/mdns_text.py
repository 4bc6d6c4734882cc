"""The TXT record by which libp2p peers find each other on a local network.

Source: the libp2p mDNS specification (`dnsaddr=<multiaddr ending in /p2p/<peer id>>`, one string for each address)
and RFC 6763, section 6.1 (strings of at most 255 bytes, each behind a byte with its length).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from p2pchat.node.protocol.p2p_address import peer_of

MAX_STRING = 255  # bytes
MAX_TEXT = 1200  # bytes announced, so that the answer fits into one Ethernet frame
MAX_STRINGS = 64  # looked at in one answer
MAX_ADDRESSES = 16  # believed of one peer

_KEY = b"dnsaddr="
# py-libp2p numbers its keys, because it can send each only once: dnsaddr, dnsaddr2, dnsaddr3 ...
_STRING = re.compile(rb"dnsaddr\d{0,3}=(/ip[46]/[!-~]+)")
_LOOPBACK = ("/ip4/127.", "/ip6/::1/")


def encode(addresses: Iterable[str]) -> bytes:
    """The record's data; empty when there is nothing that others could use."""
    text = b""
    for address in usable(addresses):
        string = _KEY + address.encode("ascii")
        if len(string) <= MAX_STRING and len(text) + 1 + len(string) <= MAX_TEXT:
            text += bytes([len(string)]) + string
    return text


def decode(texts: Iterable[bytes]) -> dict[str, list[str]]:
    """Addresses by peer id in the TXT records of one answer; what is not understood is left out."""
    found: dict[str, list[str]] = {}
    strings = (string for text in texts for string in _strings(text))
    for _, string in zip(range(MAX_STRINGS), strings, strict=False):
        match = _STRING.fullmatch(string)
        if match is None:
            continue
        address = match[1].decode("ascii")
        try:
            addresses = found.setdefault(peer_of(address), [])
        except ValueError:
            continue
        if len(addresses) < MAX_ADDRESSES and address not in addresses:
            addresses.append(address)
    return {peer: kept for peer, addresses in found.items() if (kept := usable(addresses))}


def usable(addresses: Iterable[str]) -> list[str]:
    """Those that neighbours can dial: IP, no relay circuit, loopback only when there is nothing else."""
    direct = [
        address
        for address in addresses
        if address.startswith(("/ip4/", "/ip6/")) and "/p2p-circuit" not in address
    ]
    return [address for address in direct if not address.startswith(_LOOPBACK)] or direct


def _strings(text: bytes) -> Iterator[bytes]:
    while text and len(text) > text[0]:
        size = text[0]
        yield text[1 : 1 + size]
        text = text[1 + size :]
