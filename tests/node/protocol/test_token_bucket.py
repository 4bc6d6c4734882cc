"""A burst is allowed, then the rate holds."""

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol.token_bucket import TokenBucket


def test_a_burst_and_then_the_rate() -> None:
    bucket = TokenBucket(rate=0.5, burst=3, now=0.0)
    assert [bucket.allows(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.allows(1.9)
    assert bucket.allows(2.0)
    assert not bucket.allows(2.1)


def test_an_idle_bucket_holds_no_more_than_a_burst() -> None:
    bucket = TokenBucket(rate=1.0, burst=2, now=0.0)
    assert [bucket.allows(1000.0) for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_burst_and_rate_together(pauses: list[float]) -> None:
    bucket = TokenBucket(rate=2.0, burst=5, now=0.0)
    now, allowed = 0.0, 0
    for pause in pauses:
        now += pause
        allowed += bucket.allows(now)
    assert allowed <= 5 + 2.0 * now + 1e-6
