"""Parts of libp2p's imports that this program leaves out of memory.

`import libp2p` loads everything it could ever do. AutoTLS, WebSocket, SECIO, its own mDNS, its metrics exporter and its
DNS client are never used here (mdns.py and dnsaddr.py say what is instead), yet cost 0.4 s of every start and 19 MB.
A stand-in module takes the place of each: its names are inert classes that say so when somebody does use them.
"""

from __future__ import annotations

import importlib
import sys
import types
from functools import cache
from typing import Any

PROMETHEUS = "prometheus_client"

MODULES = (
    "libp2p.security.tls.autotls.acme",  # requests, httpx
    "libp2p.security.tls.autotls.broker",
    "libp2p.transport.websocket.transport",  # trio_websocket
    "libp2p.transport.websocket.listener",
    "libp2p.transport.websocket.connection",
    "libp2p.discovery.mdns.mdns",  # zeroconf
    "libp2p.discovery.mdns.broadcaster",
    "libp2p.discovery.mdns.listener",
    "libp2p.security.secio.transport",  # fastecdsa
    PROMETHEUS,
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


@cache
def real(name: str) -> types.ModuleType:
    """One of the left out packages after all, for this program's own use: libp2p still gets the stand-in.

    Its modules can be imported by their full names from then on. To be called in the thread that imports libp2p, or
    before that.
    """
    found = sys.modules.get(name)
    stand_in = found if isinstance(found, _StandIn) else _StandIn(name)
    if found is stand_in:
        del sys.modules[name]
    try:
        package = importlib.import_module(name)
    finally:
        sys.modules[name] = stand_in
    stand_in.__path__ = package.__path__  # where `name.module` is looked for
    return package


def leave_out() -> None:
    """Call before the first import of libp2p; what is loaded already stays as it is."""
    if "libp2p" in sys.modules:
        return
    for name in MODULES:
        sys.modules.setdefault(name, _StandIn(name))
