# mypy: disable-error-code="no-untyped-def"
"""The one implementation of features: a compiled interpreter of feature programs.

For each (customer, as-of) row, the customer's events before the moment are listed by the slots that admit them,
and each list is walked backwards. All windows end at the moment, so each is a prefix of the walk: the running
statistics are read off when the walk leaves a window. An account is walked forwards, since debits use the oldest
credits first. Nothing is shared between customers, and of moments only the lists: a row's bits depend on its own
events and nothing else. Currency is summed in whole millionths, so sums are exact and 499.99 + 0.01 reaches a
threshold of 500.

A program is arrays, not code: the kernel compiles once for every feature set.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tactful.features.kernel.arrays import Histories, Program, Rows

MILLION = 1e6
DAY = 86_400 * 1_000_000
SEASONS = np.array([(math.sin(a), math.cos(a)) for a in (math.tau * (59 + d) / 365.25 for d in range(366))])
"""Sine and cosine of the season by day since 1 March; 1 January lies near angle 0."""

# The fields of an event.
TIME, LOCAL_DAY, BITS, VALUE = range(4)
FIELDS = 4

# The results of an operation. Numba caches by this file alone, so its constants are here.
(
    COUNT, TOTAL, DISTINCT_CATEGORIES, MEAN, MIN, MAX, STD, LATEST, DAYS_SINCE_LAST, DAYS_SINCE_FIRST,
    DISTINCT_DAYS, MEAN_GAP_DAYS, STD_GAP_DAYS, LAST_GAP_DAYS, LONGEST_GAP_DAYS,
    DAYS_SINCE_NTH_LAST, DECAYED_COUNT,
    RATIO, REACHED, TO_NEXT, ABOVE, YEAR_SIN, YEAR_COS, WEEKDAY, MONTH_DAY,
) = range(25)  # fmt: skip


def compute(
    histories: Histories, rows: Rows, program: Program, out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The features of each row, shape (rows, features), in `out` where given. Releases the interpreter lock."""
    slots, features = len(program.sources), len(program.operations) + len(program.accounts.columns)
    values = np.empty((len(rows.customer), features)) if out is None else out
    longest = (histories.starts[1:] - histories.starts[:-1]).max(initial=0)
    lists = np.empty((slots, longest, FIELDS), np.int64)
    fill(histories, rows, program, lists, np.empty(slots, np.int64), values)
    return values


# No compiled function allocates, so reference counting is switched off: it took four fifths of the time.
compiled = njit(cache=True, nogil=True, _nrt=False)


@compiled
def fill(histories, rows, program, lists, lengths, out):
    """Computes each row into `out`; `lists` and their `lengths` are scratch.

    The lists hold the events before the moment of the row and no other; they only grow while rows of one
    customer follow each other in order of time.
    """
    known, reached, event = -1, 0, 0
    for row in range(len(rows.customer)):
        customer, moment = rows.customer[row], rows.moment[row]
        as_of, first = rows.as_of[moment], histories.starts[customer]
        if customer != known or as_of < reached:
            lengths[:] = 0
            event = first
        event = list_events(histories, event, histories.starts[customer + 1], as_of, program, lists, lengths)
        known, reached, begin = customer, as_of, 0
        for slot in range(len(lengths)):
            aggregate(lists[slot, : lengths[slot]], as_of, program, begin, program.ends[slot], out[row])
            begin = program.ends[slot]
        settle(histories, first, event, as_of, program.accounts, out[row])
        derive(program, begin, rows.as_of_day[row], out[row])


@compiled
def list_events(histories, event, end, as_of, program, lists, lengths):
    """Lists the events from `event` to before the moment by the slots that admit them, and tells how far it came."""
    while event < end and histories.time[event] < as_of:
        slots = admitted(histories, event, program.admits)
        while slots:
            slot = ones((slots & -slots) - 1)
            listed = lists[slot, lengths[slot]]
            listed[TIME] = histories.time[event]
            listed[LOCAL_DAY] = histories.day[event]
            listed[BITS] = np.int64(histories.categories[event])
            listed[VALUE] = amount_of(histories, event, program.sources[slot])
            lengths[slot] += 1
            slots &= slots - 1
        event += 1
    return event


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
def aggregate(events, as_of, program, begin, end, values):
    """Walks the events of a slot backwards and fills in its features `begin:end`, by ascending window."""
    event = len(events) - 1
    n = total = least = most = latest = bits = 0
    last_time = first_time = last_day = first_day = days = gap_squares = last_gap = longest_gap = 0
    squares = 0.0
    for index in range(begin, end):
        since = as_of - program.windows[index]
        while event >= 0 and events[event, TIME] >= since:
            value, day = events[event, VALUE], events[event, LOCAL_DAY]
            if n == 0:
                least = most = latest = value
                last_time, last_day, first_day, days = events[event, TIME], day, day, 1
            n += 1
            total += value
            least = min(least, value)
            most = max(most, value)
            bits |= events[event, BITS]
            first_time = events[event, TIME]
            squares += np.float64(value - latest) * np.float64(value - latest)
            if day < first_day:
                gap = first_day - day
                last_gap = gap if days == 1 else last_gap
                longest_gap = max(longest_gap, gap)
                gap_squares += gap * gap
                first_day = day
                days += 1
            event -= 1
        opcode, value = program.operations[index, 0], program.defaults[index]
        if opcode <= LATEST:
            value = of_values(opcode, value, n, total, least, most, latest, bits, squares)
        elif opcode <= DAYS_SINCE_FIRST:
            if n:
                value = (as_of - (last_time if opcode == DAYS_SINCE_LAST else first_time)) / DAY
        elif opcode <= LONGEST_GAP_DAYS:
            value = of_days(opcode, value, days, last_day - first_day, gap_squares, last_gap, longest_gap)
        elif opcode == DAYS_SINCE_NTH_LAST:
            nth = program.operations[index, 1]
            if n >= nth:
                value = (as_of - events[len(events) - nth, TIME]) / DAY
        else:
            value = decayed(events[event + 1 :], as_of, program.operations[index, 1])
        values[program.operations[index, 3]] = value


@compiled
def of_values(opcode, default, n, total, least, most, latest, bits, squares):
    """A statistic of n values, in millionths, of which `latest` was subtracted before they were squared."""
    if opcode == COUNT:
        return float(n)
    if opcode == TOTAL:
        return total / MILLION
    if opcode == DISTINCT_CATEGORIES:
        return float(ones(bits))
    if n == 0:
        return default
    if opcode == MEAN:
        return total / (n * MILLION)
    if opcode == MIN:
        return least / MILLION
    if opcode == MAX:
        return most / MILLION
    if opcode == LATEST:
        return latest / MILLION
    return deviation(n, total - n * latest, squares) / MILLION if n > 1 else default


@compiled
def of_days(opcode, default, days, span, gap_squares, last_gap, longest_gap):
    """A statistic of distinct days and the gaps between them; the span is the sum of the gaps."""
    if opcode == DISTINCT_DAYS:
        return float(days)
    if days < 2:
        return default
    if opcode == MEAN_GAP_DAYS:
        return span / (days - 1)
    if opcode == LAST_GAP_DAYS:
        return float(last_gap)
    if opcode == LONGEST_GAP_DAYS:
        return float(longest_gap)
    return deviation(days - 1, span, gap_squares) if days > 2 else default


@compiled
def decayed(events, as_of, half_life):
    """How many events there are, each half as much for every half-life that it lies back."""
    total = 0.0
    for event in range(len(events) - 1, -1, -1):
        total += 2.0 ** ((events[event, TIME] - as_of) / half_life)
    return total


@compiled
def deviation(n, total, squares):
    """The standard deviation of n numbers, by their sum and the sum of their squares."""
    return math.sqrt(max(squares - np.float64(total) * np.float64(total) / n, 0.0) / (n - 1))


@compiled
def settle(histories, first, last, as_of, accounts, values):
    """Fills in the balances: debits use the oldest credits first, and credits lapse.

    A refund of what was bought so long ago that its credit has lapsed is no debit.
    """
    for account in range(len(accounts.columns)):
        lasts, notice = accounts.lasts[account], accounts.notice[account]
        credited, gone, lapsed, oldest = 0, 0, 0, first
        for event in range(first, last):
            entered = entry(histories, event, accounts, account)
            credited += max(entered, 0)
            if entered < 0 and histories.origin[event] >= histories.time[event] - lasts:
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
    """The entry of an event in an account, in millionths: a credit or, below 0, a debit."""
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
def derive(program, begin, day, values):
    """Fills in what reads no event, from `begin`: ratios and levels of features, and parts of the as-of date."""
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
