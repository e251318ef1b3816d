"""Splits in time: what is learnt from was settled before what is tested began."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from tactful.features.timestamps import DAY
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import Span, days_after, midnight

MONTH = 31
TEST_SHARE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Masks over examples, each of shape (n,).

    Attributes:
        train: Settled before validation begins.
        validation: Settled before the test begins, and later than all of `train`.
        pool: All that was settled before the test begins; `train` and `validation` are within.
        test: The rest that is not left out as an embargo.
    """

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    pool: NDArray[np.bool_]
    test: NDArray[np.bool_]


def by_time(as_of: NDArray[np.int64], known: NDArray[np.int64], *, validation_from: int, test_from: int) -> Split:
    """Splits examples at two moments; those whose outcome is settled across one are left out on its near side.

    Args:
        as_of: When each example was taken, microseconds since the epoch.
        known: When its outcome was settled.
        validation_from: Where validation begins.
        test_from: Where the test begins.

    Raises:
        TrainingError: A part is empty.

    Example:
        >>> as_of = np.array([0, 10, 20, 30, 40])
        >>> split = by_time(as_of, as_of + 15, validation_from=20, test_from=40)
        >>> split.train.tolist(), split.validation.tolist()
        ([True, False, False, False, False], [False, False, True, False, False])
    """
    pool = known <= test_from
    split = Split(known <= validation_from, pool & (as_of >= validation_from), pool, as_of >= test_from)
    sizes = {"train": split.train.sum(), "validation": split.validation.sum(), "test": split.test.sum()}
    if not all(sizes.values()):
        raise TrainingError(
            "too short a log to split", got={name: int(n) for name, n in sizes.items()}, wanted="rows in each part"
        )
    return split


def latest_share(as_of: NDArray[np.int64], share: float) -> int:
    """The moment after which the latest part of the examples lies, whole moments at a time.

    Args:
        as_of: When each example was taken, not empty.
        share: The part is at most this share, unless the last moment alone exceeds it.

    Example:
        >>> latest_share(np.array([1, 1, 2, 2, 3]), 0.3)
        3
    """
    moments, counts = np.unique(as_of, return_counts=True)
    tail = np.cumsum(counts[::-1])[::-1]
    fits = np.flatnonzero(tail <= share * len(as_of))
    return int(moments[fits[0] if len(fits) else -1])


def by_share(as_of: NDArray[np.int64], known: NDArray[np.int64], judged_from: int | None = None) -> Split:
    """Tests on the latest part, validates on the latest part of what was settled by then.

    Args:
        as_of: When each example was taken, microseconds since the epoch, shape (n,).
        known: When its outcome was settled.
        judged_from: The test begins there at the latest.

    Raises:
        TrainingError: Too short a log.
    """
    share_from = latest_share(as_of, TEST_SHARE)
    test_from = share_from if judged_from is None else min(share_from, judged_from)
    settled = as_of[known <= test_from]
    validation_from = latest_share(settled, TEST_SHARE) if len(settled) else test_from
    return by_time(as_of, known, validation_from=validation_from, test_from=test_from)


def snapshots(covered: Span, zone: str, *, horizon_days: int, lookback_days: int) -> list[int]:
    """Local midnights, about a month apart, at which the lapse of customers can be told.

    The last is a horizon before the log ends; the step divides the horizon, so that the embargo costs no more
    than it must. The first leaves customers a horizon, or the lookback if that is shorter, to show a rhythm.

    Args:
        covered: The time the log covers.
        zone: The time zone of midnights.
        horizon_days: The horizon of a lapse.
        lookback_days: In which customers must have bought.

    Returns:
        Microseconds since the epoch, ascending.

    Raises:
        TrainingError: The log is too short for a train, a validation and a test snapshot with a horizon
            after each.
    """
    step = ceil(horizon_days / ceil(horizon_days / MONTH))
    history = min(lookback_days, horizon_days)
    moments = [midnight(days_after(covered.end, -horizon_days, zone), zone)]
    while (moment := days_after(moments[-1], -step, zone)) >= covered.first + history * DAY:
        moments.append(moment)
    if days_after(moments[-1], 2 * horizon_days, zone) > moments[0]:
        wanted = f"at least {3 * horizon_days + history + 2} days for a horizon of {horizon_days}"
        raise TrainingError("too short a log", got=str(covered), wanted=wanted)
    return moments[::-1]
