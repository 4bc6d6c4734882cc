"""Errors out of a nursery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from p2pchat.node.errors import P2pchatError


@contextmanager
def one_error() -> Iterator[None]:
    """A group of nothing but expected errors comes out as the first of them."""
    try:
        yield
    except BaseExceptionGroup as group:
        expected, others = group.split(P2pchatError)
        if expected is None or others is not None:
            raise
        first: BaseException = expected
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group
