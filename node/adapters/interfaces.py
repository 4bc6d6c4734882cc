"""The computer's own IP addresses."""

from __future__ import annotations

import logging

import ifaddr

log = logging.getLogger(__name__)


def addresses() -> frozenset[str]:
    """Of all interfaces, IPv4 and IPv6, without zones. Costs less than a millisecond; empty when the system does
    not say."""
    try:
        adapters = list(ifaddr.get_adapters())
    except OSError as error:
        log.debug("the interfaces cannot be listed: %s", error)
        return frozenset()
    ips = (entry.ip for adapter in adapters for entry in adapter.ips)
    return frozenset(ip if isinstance(ip, str) else ip[0] for ip in ips)
