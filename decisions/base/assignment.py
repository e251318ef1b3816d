"""Assignment of customers to arms by a salted hash: recomputable anywhere from the id alone, and nothing is stored.

The hash is GrowthBook's version 2, so that an application that runs GrowthBook's SDK with the same salt puts the same
customers into the same arms. Buckets are ten-thousandths.
"""

from collections.abc import Sequence
from typing import NamedTuple

_OFFSET, _PRIME, _WORD = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_BUCKETS = 10_000


class Range(NamedTuple):
    """A half-open part `[low, high)` of the hash's range, both between 0 and 1."""

    low: float
    high: float

    def __contains__(self, number: object) -> bool:
        return isinstance(number, float | int) and self.low <= number < self.high

    def meets(self, other: "Range") -> bool:
        """Whether the two have a number in common.

        Example:
            >>> Range(0.0, 0.5).meets(Range(0.5, 1.0))
            False
        """
        return max(self.low, other.low) < min(self.high, other.high)


def hash_v2(salt: str, customer: str) -> float:
    """A number that looks uniform, of an id: a multiple of 0.0001 in [0, 1).

    Numbers of different salts are independent for all practical purposes; the second round is what version 1 lacked.

    Source: GrowthBook, Build Your Own SDK, hash version 2: FNV-1a (Fowler, Noll and Vo), 32 bits, twice.

    Args:
        salt: Another salt draws other numbers.
        customer: The id.

    Example:
        >>> hash_v2("2026", "c1"), hash_v2("2027", "c1")
        (0.2873, 0.3196)
    """
    return _fnv1a(str(_fnv1a(salt + customer))) % _BUCKETS / _BUCKETS


def bucket_ranges(shares: Sequence[float], coverage: float = 1.0) -> list[Range]:
    """The parts of the hash's range that belong to arms.

    Each arm has a place of its share, of which it takes the first part by the coverage. More coverage leaves everybody
    who was in an arm in that arm.

    Source: GrowthBook, Build Your Own SDK, `getBucketRanges`.

    Args:
        shares: One an arm, each at least 0, together 1.
        coverage: Share of the customers who are assigned at all, between 0 and 1.

    Raises:
        ValueError: If the shares do not add up to 1, or a number lies outside.

    Example:
        >>> bucket_ranges([0.5, 0.5], coverage=0.2)
        [Range(low=0.0, high=0.1), Range(low=0.5, high=0.6)]
    """
    if min(shares, default=-1.0) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares of arms must be at least 0 and add up to 1; got {list(shares)}")
    if not 0 <= coverage <= 1:
        raise ValueError(f"coverage must be between 0 and 1; got {coverage}")
    ranges, start = [], 0.0
    for share in shares:
        ranges.append(Range(start, start + coverage * share))
        start += share
    return ranges


def chosen(number: float, ranges: Sequence[Range]) -> int | None:
    """Which of some ranges holds a number: the first that does, or None.

    Example:
        >>> chosen(0.55, bucket_ranges([0.5, 0.5], coverage=0.2)), chosen(0.3, bucket_ranges([0.5, 0.5], coverage=0.2))
        (1, None)
    """
    return next((i for i, found in enumerate(ranges) if number in found), None)


def _fnv1a(text: str) -> int:
    """FNV-1a, 32 bits, over UTF-16 code units, as JavaScript's `charCodeAt` gives them."""
    state = _OFFSET
    if text.isascii():
        for unit in text.encode():
            state = (state ^ unit) * _PRIME & _WORD
        return state
    data = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(data[::2], data[1::2], strict=True):
        state = (state ^ (low | high << 8)) * _PRIME & _WORD
    return state
