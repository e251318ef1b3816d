"""Nobody gets more than the rate, and whoever waits as told gets in."""

from hypothesis import given
from hypothesis import strategies as st

from tactful.serving.api.access.limits import Buckets


@given(
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
    rate=st.floats(0.05, 50),
    workers=st.integers(1, 8),
)
def test_no_span_of_time_holds_more_than_its_share_and_what_was_saved_up(
    pauses: list[float], rate: float, workers: int
) -> None:
    now, taken = [0.0], []
    buckets = Buckets(workers, lambda: now[0])
    for pause in pauses:
        now[0] += pause
        if buckets.wait("k", rate) == 0:
            taken.append(now[0])
    share = rate / workers
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= max(1.0, share) + share * (taken[last] - taken[first]) + 1e-6


@given(rate=st.floats(0.05, 50), asked=st.integers(1, 60))
def test_whoever_waits_as_long_as_told_gets_in(rate: float, asked: int) -> None:
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    wait = [buckets.wait("k", rate) for _ in range(asked)][-1]
    if wait:
        now[0] += wait + 1e-9
        assert buckets.wait("k", rate) == 0


def test_each_caller_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(clock=lambda: 0.0)
    assert buckets.wait("a", 1) == 0
    assert buckets.wait("a", 1) == 1
    assert buckets.wait("b", 1) == 0


def test_work_that_is_charged_afterwards_is_waited_for() -> None:
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    assert buckets.wait("a", 2.0) == 0
    buckets.charge("a", 9.0)
    assert buckets.wait("a", 2.0) == 4.5
    now[0] += 4.5
    assert buckets.wait("a", 2.0) == 0
    assert buckets.wait("b", 2.0) == 0
