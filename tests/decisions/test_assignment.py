"""Assignment agrees with GrowthBook's SDK, is uniform, independent across salts, and never reshuffles on a ramp."""

import math

import pytest
from growthbook import Experiment, GrowthBook, core
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.assignment import Range, bucket_ranges, chosen, hash_v2

TEXT = st.text(max_size=30)
SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=6).map(lambda parts: [p / sum(parts) for p in parts])
IDS = [f"customer-{i}" for i in range(20_000)]


@given(TEXT, TEXT)
def test_the_hash_is_growthbooks(salt: str, customer: str) -> None:
    assert hash_v2(salt, customer) == core.gbhash(salt, customer, 2)


def test_ids_beyond_the_basic_plane_hash_as_in_javascript() -> None:
    assert hash_v2("säl", "🦊") == core.gbhash("säl", "🦊", 2)


@given(SHARES, st.floats(0, 1), TEXT)
def test_arms_are_growthbooks(shares: list[float], coverage: float, customer: str) -> None:
    number = hash_v2("salt", customer)
    ranges = bucket_ranges(shares, coverage)
    theirs = core.chooseVariation(number, core.getBucketRanges(len(shares), coverage, shares))
    assert chosen(number, ranges) == (None if theirs < 0 else theirs)


def test_the_whole_sdk_agrees_on_many_ids() -> None:
    experiment = Experiment(
        key="welcome", variations=[0, 1, 2], weights=[0.2, 0.3, 0.5], coverage=0.7, seed="spring", hashVersion=2
    )
    ranges = bucket_ranges([0.2, 0.3, 0.5], 0.7)
    for customer in IDS[:3_000]:
        result = GrowthBook(attributes={"id": customer}).run(experiment)
        ours = chosen(hash_v2("spring", customer), ranges)
        assert ours == (result.variationId if result.inExperiment else None)


@pytest.mark.parametrize("salt", ["spring", "summer"])
def test_numbers_are_uniform(salt: str) -> None:
    counts = [0] * 20
    for customer in IDS:
        counts[int(hash_v2(salt, customer) * 20)] += 1
    expected = len(IDS) / 20
    assert sum((count - expected) ** 2 / expected for count in counts) < 43.8  # 99.9 % of chi-squared with 19 degrees


def test_layers_are_independent() -> None:
    pairs = [(hash_v2("layer one", customer), hash_v2("layer two", customer)) for customer in IDS]
    cells = [0] * 16
    for one, two in pairs:
        cells[int(one * 4) * 4 + int(two * 4)] += 1
    expected = len(IDS) / 16
    assert sum((count - expected) ** 2 / expected for count in cells) < 37.7  # 99.9 %, 15 degrees


@given(SHARES, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_more_coverage_moves_nobody(shares: list[float], one: float, two: float, number: float) -> None:
    less, more = sorted((one, two))
    before = chosen(number, bucket_ranges(shares, less))
    assert before is None or before == chosen(number, bucket_ranges(shares, more))


@given(SHARES, st.floats(0, 1))
def test_arms_exclude_each_other(shares: list[float], coverage: float) -> None:
    ranges = bucket_ranges(shares, coverage)
    assert not any(one.meets(two) for i, one in enumerate(ranges) for two in ranges[:i])
    assert math.isclose(sum(found.high - found.low for found in ranges), coverage, abs_tol=1e-9)


@pytest.mark.parametrize(("shares", "coverage"), [([0.5, 0.6], 1.0), ([], 1.0), ([1.2, -0.2], 1.0), ([1.0], 1.5)])
def test_impossible_shares_are_refused(shares: list[float], coverage: float) -> None:
    with pytest.raises(ValueError, match="got"):
        bucket_ranges(shares, coverage)


def test_a_range_is_half_open() -> None:
    assert 0.0 in Range(0.0, 0.5)
    assert 0.5 not in Range(0.0, 0.5)
