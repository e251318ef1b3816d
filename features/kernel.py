# mypy: disable-error-code="no-untyped-def"
"""The one implementation of features: a compiled interpreter of feature programs.

For each (customer, as-of) row it walks that customer's events backwards from the as-of moment. All windows
end there, so each is a prefix of the walk: the running statistics are read off when the walk leaves a
window. An account is walked forwards, since debits use the oldest credits first. Nothing is shared between
rows; a row's bits depend on its own events and nothing else. Currency is summed in whole millionths, so sums
are exact and 499.99 + 0.01 reaches a threshold of 500.

A program is arrays, not code: the kernel compiles once for every feature set.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.arrays import Histories, Program, Rows

MILLION = 1e6
DAY = 86_400 * 1_000_000
SEASONS = np.array([(math.sin(a), math.cos(a)) for a in (math.tau * (59 + d) / 365.25 for d in range(366))])
"""Sine and cosine of the season by day since 1 March; 1 January lies near angle 0."""

# The running statistics of a slot.
N, SUM, LEAST, MOST, BITS, LAST_TIME, FIRST_TIME, LAST_DAY, FIRST_DAY, DAYS, GAP_SQUARES, LAST_GAP, LAST = range(13)
STATISTICS = 13

# What an operation computes. Numba caches by this file alone, so its constants stand here.
(
    COUNT, TOTAL, MEAN, MIN, MAX, STD, LATEST, DISTINCT_DAYS, DISTINCT_CATEGORIES, DAYS_SINCE_LAST, DAYS_SINCE_FIRST,
    MEAN_GAP_DAYS, STD_GAP_DAYS, LAST_GAP_DAYS, RATIO, YEAR_SIN, YEAR_COS, WEEKDAY, MONTH_DAY, REACHED, TO_NEXT, ABOVE,
) = range(22)  # fmt: skip


def compute(
    histories: Histories, rows: Rows, program: Program, out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The features of each row, shape (rows, features), in `out` where given. Releases the interpreter lock."""
    slots, features = len(program.sources), len(program.operations) + len(program.accounts.columns)
    values = np.empty((len(rows.customer), features)) if out is None else out
    fill(histories, rows, program, np.empty((slots, STATISTICS), np.int64), np.empty(slots), values)
    return values


# No compiled function allocates, so reference counting is switched off: it took four fifths of the time.
compiled = njit(cache=True, nogil=True, _nrt=False)


@compiled
def fill(histories, rows, program, state, squares, out):
    """Computes each row into `out`, with `state` and `squares` as scratch: the statistics of each slot."""
    for row in range(len(rows.customer)):
        customer, moment = rows.customer[row], rows.moment[row]
        first, last = histories.starts[customer], histories.starts[customer + 1]
        last = first + np.searchsorted(histories.time[first:last], rows.as_of[moment])
        walk(histories, first, last, rows.as_of[moment], program, state, squares, out[row])
        settle(histories, first, last, rows.as_of[moment], program.accounts, out[row])
        derive(program, rows.as_of_day[moment], out[row])


@compiled
def walk(histories, first, last, as_of, program, state, squares, values):
    """Walks the events `first:last` backwards and fills in the features that aggregate events."""
    state[:, N] = 0
    event = last - 1
    for window in range(len(program.windows)):
        while event >= first and histories.time[event] >= as_of - program.windows[window]:
            slots = admitted(histories, event, program.admits)
            while slots:
                slot = ones((slots & -slots) - 1)
                add(histories, event, program.sources[slot], state, squares, slot)
                slots &= slots - 1
            event -= 1
        read(program, window, state, squares, as_of, values)


@compiled
def admitted(histories, event, admits):
    """The slots or entries whose filter admits an event, as a bit set."""
    return (
        admits[0, histories.type[event]]
        & admits[1, histories.channel[event]]
        & admits[2, (histories.day[event] + 3) % 7]
        & admits[3, 1 if histories.discount[event] > 0 else 0]
    )


@compiled
def amount_of(histories, event, source):
    """The summed column of an event, in millionths."""
    if source == 1:
        value = histories.amount[event]
    elif source == 2:
        value = histories.discount[event]
    elif source == 3:
        value = histories.quantity[event]
    else:
        return 0
    return np.int64(np.rint(value * MILLION))


@compiled
def add(histories, event, source, state, squares, slot):
    """Adds an event, not later than those before it, to the statistics of a slot."""
    time, day, value = histories.time[event], np.int64(histories.day[event]), amount_of(histories, event, source)
    bits = np.int64(histories.categories[event])
    if state[slot, N] == 0:
        state[slot, N] = 1
        state[slot, SUM] = state[slot, LEAST] = state[slot, MOST] = state[slot, LAST] = value
        state[slot, BITS] = bits
        state[slot, LAST_TIME] = state[slot, FIRST_TIME] = time
        state[slot, LAST_DAY] = state[slot, FIRST_DAY] = day
        state[slot, DAYS] = 1
        state[slot, GAP_SQUARES] = state[slot, LAST_GAP] = 0
        squares[slot] = 0.0
        return
    state[slot, N] += 1
    state[slot, SUM] += value
    state[slot, LEAST] = min(state[slot, LEAST], value)
    state[slot, MOST] = max(state[slot, MOST], value)
    state[slot, BITS] |= bits
    state[slot, FIRST_TIME] = time
    deviation = np.float64(value - state[slot, LAST])
    squares[slot] += deviation * deviation
    gap = state[slot, FIRST_DAY] - day
    if gap > 0:
        state[slot, FIRST_DAY] = day
        state[slot, GAP_SQUARES] += gap * gap
        if state[slot, DAYS] == 1:
            state[slot, LAST_GAP] = gap
        state[slot, DAYS] += 1


@compiled
def read(program, window, state, squares, as_of, values):
    """Reads the features of one window off the running statistics."""
    begin = program.ends[window - 1] if window else 0
    for index in range(begin, program.ends[window]):
        opcode, slot = program.operations[index, 0], program.operations[index, 1]
        n, days = state[slot, N], state[slot, DAYS]
        value = program.defaults[index]
        if opcode == COUNT:
            value = n
        elif opcode == TOTAL:
            value = state[slot, SUM] / MILLION if n else 0.0
        elif opcode == DISTINCT_DAYS:
            value = days if n else 0
        elif opcode == DISTINCT_CATEGORIES:
            value = ones(state[slot, BITS]) if n else 0
        elif n == 0:
            pass
        elif opcode == DAYS_SINCE_LAST:
            value = (as_of - state[slot, LAST_TIME]) / DAY
        elif opcode == DAYS_SINCE_FIRST:
            value = (as_of - state[slot, FIRST_TIME]) / DAY
        elif opcode == MEAN:
            value = state[slot, SUM] / (n * MILLION)
        elif opcode == MIN:
            value = state[slot, LEAST] / MILLION
        elif opcode == MAX:
            value = state[slot, MOST] / MILLION
        elif opcode == LATEST:
            value = state[slot, LAST] / MILLION
        elif opcode == STD:
            if n > 1:
                shift = np.float64(state[slot, SUM] - n * state[slot, LAST])
                value = math.sqrt(max(squares[slot] - shift * shift / n, 0.0) / (n - 1)) / MILLION
        elif days < 2:
            pass
        elif opcode == MEAN_GAP_DAYS:
            value = (state[slot, LAST_DAY] - state[slot, FIRST_DAY]) / (days - 1)
        elif opcode == LAST_GAP_DAYS:
            value = state[slot, LAST_GAP]
        elif days > 2:
            gaps, span = days - 1, state[slot, LAST_DAY] - state[slot, FIRST_DAY]
            value = math.sqrt((gaps * state[slot, GAP_SQUARES] - span * span) / (gaps * (gaps - 1)))
        values[program.operations[index, 3]] = value


@compiled
def settle(histories, first, last, as_of, accounts, values):
    """Fills in the balances: debits use the oldest credits first, and credits lapse."""
    for account in range(len(accounts.columns)):
        lasts, notice = accounts.lasts[account], accounts.notice[account]
        credited, gone, lapsed, oldest = 0, 0, 0, first
        for event in range(first, last):
            entered = entry(histories, event, accounts, account)
            credited += max(entered, 0)
            if entered < 0:
                oldest, lapsed = lapse(
                    histories, oldest, event, histories.time[event] - lasts, accounts, account, lapsed
                )
                gone = min(max(gone, lapsed) - entered, credited)
        oldest, lapsed = lapse(histories, oldest, last, as_of - lasts, accounts, account, lapsed)
        gone = max(gone, lapsed)
        balance = credited - gone
        if notice:
            oldest, lapsed = lapse(histories, oldest, last, as_of + notice - lasts, accounts, account, lapsed)
            balance = max(lapsed - gone, 0)
        values[accounts.columns[account]] = balance / MILLION


@compiled
def lapse(histories, oldest, end, before, accounts, account, lapsed):
    """Goes on from the `oldest` event to those before a moment, and adds their credits to what has lapsed."""
    while oldest < end and histories.time[oldest] < before:
        lapsed += max(entry(histories, oldest, accounts, account), 0)
        oldest += 1
    return oldest, lapsed


@compiled
def entry(histories, event, accounts, account):
    """What an event enters into an account, in millionths: a credit or, below 0, a debit."""
    total = np.int64(0)
    entries = admitted(histories, event, accounts.admits) & accounts.entries[account]
    while entries:
        index = ones((entries & -entries) - 1)
        source = accounts.sources[index]
        value = amount_of(histories, event, source) if source else np.int64(MILLION)
        total += np.int64(np.rint(accounts.weights[index] * value))
        entries &= entries - 1
    return total


@compiled
def derive(program, day, values):
    """Fills in what reads no event: ratios and levels of features, and parts of the as-of date."""
    begin = program.ends[-1] if len(program.ends) else 0
    for index in range(begin, len(program.operations)):
        opcode = program.operations[index, 0]
        value = program.defaults[index]
        if opcode == RATIO:
            numerator = values[program.operations[index, 1]]
            denominator = values[program.operations[index, 2]]
            if denominator != 0 and not math.isnan(numerator) and not math.isnan(denominator):
                value = numerator / denominator
        elif opcode in (REACHED, TO_NEXT, ABOVE):
            value = standing(
                opcode, values[program.operations[index, 1]], program.ladders[program.operations[index, 2]], value
            )
        elif opcode == WEEKDAY:
            value = (day + 3) % 7
        else:
            since_march, month_day = civil(day)
            if opcode == YEAR_SIN:
                value = SEASONS[since_march, 0]
            elif opcode == YEAR_COS:
                value = SEASONS[since_march, 1]
            else:
                value = month_day
        values[program.operations[index, 3]] = value


@compiled
def standing(opcode, value, ladder, default):
    """How a value stands among ascending levels; infinity is no level."""
    if math.isnan(value):
        return default
    reached = 0
    while reached < len(ladder) - 1 and ladder[reached] <= value:
        reached += 1
    if opcode == REACHED:
        return float(reached)
    if opcode == ABOVE:
        return value - ladder[reached - 1] if reached else value
    return ladder[reached] - value if ladder[reached] < math.inf else default


@compiled
def ones(bits):
    """The number of bits set in an int64 (Hacker's Delight, section 5-1)."""
    x = np.uint64(bits)
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def civil(day):
    """Days since 1 March, and day of the month from 1 (Hinnant, chrono-compatible low-level date algorithms)."""
    of_era = (day + 719_468) % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    since_march = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * since_march + 2) // 153
    return since_march, since_march - (153 * month + 2) // 5 + 1
