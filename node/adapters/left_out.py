"""Parts of libp2p's imports that this program leaves out of memory.

`import libp2p` loads everything it could ever do. AutoTLS, WebSocket, its own mDNS, its metrics exporter and its
DNS client are never used here (mdns.py and dnsaddr.py say what is instead), yet cost 0.4 s of every start and 19 MB.
A stand-in module takes the place of each: its names are inert classes that say so when somebody does use them.
"""

from __future__ import annotations

import sys
import types
from typing import Any

MODULES = (
    "libp2p.security.tls.autotls.acme",  # requests, httpx
    "libp2p.security.tls.autotls.broker",
    "libp2p.transport.websocket.transport",  # trio_websocket
    "libp2p.transport.websocket.listener",
    "libp2p.transport.websocket.connection",
    "libp2p.discovery.mdns.mdns",  # zeroconf
    "libp2p.discovery.mdns.broadcaster",
    "libp2p.discovery.mdns.listener",
    "prometheus_client",
    "multiaddr.resolvers.dns",  # dnspython's asynchronous resolver
)


class _StandIn(types.ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        if name.isupper():
            return name  # type: ignore[return-value]  # a constant
        made = type(name, (_LeftOut,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _LeftOut:
    """Can be made and passed around, as libp2p's constructors do; cannot be used."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        cls = type(self)
        raise AttributeError(f"{cls.__module__}.{cls.__name__}.{name} is left out of p2pchat")


def leave_out() -> None:
    """Call before the first import of libp2p; what is loaded already stays as it is."""
    if "libp2p" in sys.modules:
        return
    for name in MODULES:
        sys.modules.setdefault(name, _StandIn(name))
