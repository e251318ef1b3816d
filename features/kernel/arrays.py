"""The arrays that the kernel reads: histories, the rows wanted, and the program."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Histories(NamedTuple):
    """The arrays of `tactful.features.events.schema.Events` the kernel reads, same names."""

    starts: NDArray[np.int64]
    time: NDArray[np.int64]
    day: NDArray[np.int32]
    type: NDArray[np.uint8]
    channel: NDArray[np.uint8]
    amount: NDArray[np.float64]
    discount: NDArray[np.float64]
    quantity: NDArray[np.float64]
    categories: NDArray[np.uint64]
    origin: NDArray[np.int64]


class Rows(NamedTuple):
    """What to compute: each row is a customer (index into `starts`) and a moment (index into `as_of`).

    `as_of` is in microseconds since the epoch; `as_of_day` is the local day of each row's customer.
    """

    customer: NDArray[np.int64]
    moment: NDArray[np.int64]
    as_of: NDArray[np.int64]
    as_of_day: NDArray[np.int32]


class Accounts(NamedTuple):
    """The balances of a feature set.

    Attributes:
        admits: As in `Program`, with entries in place of slots.
        sources: The column of each entry, as in `Program`.
        weights: Factor of each entry, float64, shape (entries,).
        entries: The entries of each account as a bit set, int64, shape (accounts,) like all that follow.
        lasts: After how many microseconds a credit lapses, int64.
        notice: 0 for the balance, or of what span the lapsing part is wanted, microseconds, int64.
        columns: The output column, int64.
    """

    admits: NDArray[np.int64]
    sources: NDArray[np.int64]
    weights: NDArray[np.float64]
    entries: NDArray[np.int64]
    lasts: NDArray[np.int64]
    notice: NDArray[np.int64]
    columns: NDArray[np.int64]


class Program(NamedTuple):
    """A feature set as the kernel reads it.

    A slot is a distinct (filter, column): one set of running statistics.

    Attributes:
        admits: Bit s of `admits[f, code]` tells whether slot s admits an event whose field f (type, channel,
            weekday, discounted) has that code; int64, shape (4, 256).
        sources: The column each slot sums: 0 for none, i + 1 for `COLUMNS[i]`; int64, shape (slots,).
        operations: Rows (opcode, first operand, second operand, output column), by slot and ascending window,
            those that read no event last; int64, shape (features, 4).
        windows: The length of each operation's window in microseconds, int64, shape (features,).
        defaults: The value of each operation where it is undefined, float64, shape (features,).
        ends: Where in `operations` those of each slot end; int64, shape (slots,).
        ladders: Ascending levels, filled up with infinity; float64, shape (ladders, most levels + 1).
        accounts: The features that are balances.
    """

    admits: NDArray[np.int64]
    sources: NDArray[np.int64]
    operations: NDArray[np.int64]
    windows: NDArray[np.int64]
    defaults: NDArray[np.float64]
    ends: NDArray[np.int64]
    ladders: NDArray[np.float64]
    accounts: Accounts
