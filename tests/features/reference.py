"""Features the slow and obvious way: one feature, one customer, one moment at a time, straight from the words.

It shares nothing with the kernel but the definitions: dates come from zoneinfo, sums from fractions.
"""

import math
import statistics
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from tactful.features.definitions.accounts import Balance, Entry, Level, Standing
from tactful.features.definitions.definitions import Aggregation, AnyFeature, Calendar, Feature, FeatureSet, Part, Ratio
from tactful.features.definitions.filters import Where
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

NAN = math.nan
Row = dict[str, Any]
Lots = list[tuple[datetime, Fraction]]


def row(frame: pd.DataFrame, customer: str, as_of: datetime, features: FeatureSet, zone: str) -> dict[str, float]:
    """The features of one customer by name; `frame` is a canonical frame, its rows in any order."""
    contents = ["time", "type_code", "channel_code", "amount", "discount", "quantity", "categories"]
    events = sorted(
        (e for e in _rows(frame) if e["customer_id"] == customer and e["time"] < as_of),
        key=lambda e: [e[name] for name in contents],
    )
    values: dict[str, float] = {}
    for feature in features.features:
        values[feature.name] = _value(feature, events, values, as_of, zone)
    return values


def _rows(frame: pd.DataFrame) -> list[Row]:
    codes = {"type_code": ("type", EVENT_TYPES), "channel_code": ("channel", CHANNELS)}
    rows: list[Row] = []
    for record in frame.to_dict("records"):
        event = {str(name): value for name, value in record.items()}
        event |= {code: names.index(event[column]) for code, (column, names) in codes.items()}
        event["time"] = event["time"].to_pydatetime()
        rows.append(event)
    return rows


def _value(feature: AnyFeature, events: list[Row], values: dict[str, float], as_of: datetime, zone: str) -> float:
    if isinstance(feature, Calendar):
        return _part(feature.part, as_of.astimezone(ZoneInfo(zone)).date())
    if isinstance(feature, Ratio):
        default = NAN if feature.default is None else feature.default
        numerator, denominator = values[feature.numerator], values[feature.denominator]
        undefined = denominator == 0 or math.isnan(numerator) or math.isnan(denominator)
        return default if undefined else numerator / denominator
    if isinstance(feature, Level):
        return _standing(feature, values[feature.of])
    if isinstance(feature, Balance):
        return float(_balance(feature, events, as_of, zone))
    begin = datetime(1, 1, 1, tzinfo=UTC)
    if feature.window_days is not None:
        begin = as_of - timedelta(days=feature.window_days)
    chosen = [e for e in events if e["time"] >= begin and _matches(feature.where, e, zone)]
    value = _aggregate(feature, chosen, as_of, zone)
    if value is None:
        return NAN if feature.default is None else feature.default
    return float(value)


def _matches(where: Where, event: Row, zone: str) -> bool:
    return (
        (not where.types or event["type"] in where.types)
        and (not where.channels or event["channel"] in where.channels)
        and (not where.weekdays or _day(event, zone).weekday() in where.weekdays)
        and (where.discounted is None or (event["discount"] > 0) == where.discounted)
    )


def _aggregate(feature: Feature, events: list[Row], as_of: datetime, zone: str) -> float | Fraction | None:
    amounts = [Fraction(round(e[feature.column] * 1e6), 10**6) for e in events] if feature.column else []
    days = sorted({_day(e, zone) for e in events})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    match feature.aggregation:
        case Aggregation.COUNT:
            return len(events)
        case Aggregation.SUM:
            return sum(amounts, Fraction(0))
        case Aggregation.DISTINCT_DAYS:
            return len(days)
        case Aggregation.DISTINCT_CATEGORIES:
            return len({bit for e in events for bit in range(64) if int(e["categories"]) >> bit & 1})
        case Aggregation.MEAN:
            return statistics.mean(amounts) if amounts else None
        case Aggregation.MIN:
            return min(amounts, default=None)
        case Aggregation.MAX:
            return max(amounts, default=None)
        case Aggregation.LAST:
            return amounts[-1] if amounts else None
        case Aggregation.STD:
            return math.sqrt(statistics.variance(amounts)) if len(amounts) > 1 else None
        case Aggregation.DAYS_SINCE_LAST:
            return (as_of - events[-1]["time"]) / timedelta(days=1) if events else None
        case Aggregation.DAYS_SINCE_FIRST:
            return (as_of - events[0]["time"]) / timedelta(days=1) if events else None
        case Aggregation.MEAN_GAP_DAYS:
            return Fraction(sum(gaps), len(gaps)) if gaps else None
        case Aggregation.STD_GAP_DAYS:
            return math.sqrt(statistics.variance(map(Fraction, gaps))) if len(gaps) > 1 else None
        case Aggregation.LAST_GAP_DAYS:
            return gaps[-1] if gaps else None
        case Aggregation.LONGEST_GAP_DAYS:
            return max(gaps, default=None)
        case Aggregation.DAYS_SINCE_NTH_LAST:
            nth = feature.nth or 0
            return (as_of - events[-nth]["time"]) / timedelta(days=1) if len(events) >= nth else None
        case Aggregation.DECAYED_COUNT:
            half_life = timedelta(days=feature.half_life_days or 0)
            return math.fsum(0.5 ** ((as_of - e["time"]) / half_life) for e in events)


def _balance(account: Balance, events: list[Row], as_of: datetime, zone: str) -> Fraction:
    """A list of credits, each with its time and what is left of it."""
    lots: Lots = []
    for event in events:
        entered = sum((_entered(entry, event, zone) for entry in account.entries), Fraction(0))
        if entered < 0 and _unlapsed([(_bought(event, events), Fraction(0))], account, event["time"]) == []:
            continue
        if entered < 0:
            lots = _spent(_unlapsed(lots, account, event["time"]), -entered)
        else:
            lots.append((event["time"], entered))
    lots = _unlapsed(lots, account, as_of)
    held = sum((left for _, left in lots), Fraction(0))
    if account.lapsing_days is None:
        return held
    later = _unlapsed(lots, account, as_of + timedelta(days=account.lapsing_days))
    return held - sum((left for _, left in later), Fraction(0))


def _bought(event: Row, events: list[Row]) -> datetime:
    """When the order that an event returns was bought; the event's own time where it returns none."""
    orders = [e for e in events if e["type"] == "purchase" and e["subject"] == event["subject"]]
    before = [e["time"] for e in orders[: len(orders)] if events.index(e) < events.index(event)]
    moment: datetime = before[-1] if event["type"] == "refund" and event["subject"] and before else event["time"]
    return moment


def _entered(entry: Entry, event: Row, zone: str) -> Fraction:
    if not _matches(entry.where, event, zone):
        return Fraction(0)
    amount = Fraction(round(event[entry.column] * 1e6), 10**6) if entry.column else Fraction(1)
    return Fraction(round(amount * Fraction(entry.weight) * 10**6), 10**6)


def _unlapsed(lots: Lots, account: Balance, moment: datetime) -> Lots:
    if account.lasts_days is None:
        return lots
    return [(time, left) for time, left in lots if moment - time <= timedelta(days=account.lasts_days)]


def _spent(lots: Lots, debit: Fraction) -> Lots:
    """What is left after the oldest credits have paid; what they cannot pay is forgotten."""
    left = []
    for time, credit in lots:
        paid = min(credit, debit)
        debit -= paid
        left.append((time, credit - paid))
    return left


def _standing(feature: Level, value: float) -> float:
    default = NAN if feature.default is None else feature.default
    if math.isnan(value):
        return default
    reached = [level for level in feature.levels if level <= value]
    ahead = [level for level in feature.levels if level > value]
    match feature.standing:
        case Standing.REACHED:
            return len(reached)
        case Standing.TO_NEXT:
            return ahead[0] - value if ahead else default
        case Standing.ABOVE:
            return value - reached[-1] if reached else value


def _day(event: Row, zone: str) -> date:
    local: datetime = event["time"].astimezone(ZoneInfo(zone))
    return local.date()


def _part(part: Part, day: date) -> float:
    march = date(day.year if day.month >= 3 else day.year - 1, 3, 1)
    angle = math.tau * (59 + (day - march).days) / 365.25
    match part:
        case Part.YEAR_SIN:
            return math.sin(angle)
        case Part.YEAR_COS:
            return math.cos(angle)
        case Part.WEEKDAY:
            return day.weekday()
        case Part.MONTH_DAY:
            return day.day
