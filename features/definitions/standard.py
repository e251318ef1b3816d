"""The standard features of a retailer's customer, in ten families.

A feature that has nothing to count is 0. One that is undefined, such as the days since a purchase that never
was, is NaN: LightGBM treats it as missing, and a condition that reads it does not hold, nor does its negation,
so that a programme opens on what is known and never on what is not.
"""

from dataclasses import replace
from typing import Any

from tactful.features.definitions.definitions import (
    Aggregation,
    AnyFeature,
    Calendar,
    Feature,
    FeatureSet,
    Part,
    Ratio,
    Where,
)

PURCHASE = Where(types=("purchase",))
SALE = Where(types=("purchase", "refund"))
DISCOUNTED = Where(types=("purchase",), discounted=True)
WEEKEND = Where(types=("purchase",), weekdays=(5, 6))
VISIT = Where(types=("view", "search", "cart", "checkout"))
CONTACT = Where(types=("contact",))
REDEMPTION = Where(types=("redeemed",))
CLICK = Where(types=("clicked",))
COMPLAINT = Where(types=("complained", "unsubscribed"))
ANYTHING = Where()

_WINDOWS = (7, 14, 28, 56, 84, 112, 182, 365)


def _family(family: str, *features: AnyFeature) -> tuple[AnyFeature, ...]:
    return tuple(replace(feature, family=family) for feature in features)


def _feature(
    name: str, aggregation: str, where: Where, window: int | None, text: str, column: str = "", **parameters: Any
) -> Feature:
    return Feature(
        name=name,
        family="",
        description=text if window is None else f"{text}, last {window} days",
        aggregation=Aggregation(aggregation),
        where=where,
        column=column,
        window_days=window,
        **parameters,
    )


def _series(stem: str, aggregation: str, where: Where, windows: tuple[int, ...], text: str) -> list[Feature]:
    return [_feature(f"{stem}_{days}d", aggregation, where, days, text) for days in windows]


def _purchases_ago(*ordinals: int) -> list[Feature]:
    text = "days since the last purchase but {}"
    return [
        _feature(f"days_since_purchase_{nth}", "days_since_nth_last", PURCHASE, None, text.format(nth - 1), nth=nth)
        for nth in ordinals
    ]


def _decayed(*half_lives: int) -> list[Feature]:
    text = "purchases, each counted half for every {} days that it lies back"
    return [
        _feature(f"purchases_fading_{days}d", "decayed_count", PURCHASE, None, text.format(days), half_life_days=days)
        for days in half_lives
    ]


def _ratio(name: str, numerator: str, denominator: str, text: str) -> Ratio:
    return Ratio(name=name, family="", description=text, numerator=numerator, denominator=denominator)


RECENCY = _family(
    "recency",
    _feature("days_since_purchase", "days_since_last", PURCHASE, None, "days since the last purchase"),
    *_purchases_ago(2, 3, 5),
    _feature("days_since_visit", "days_since_last", VISIT, None, "days since the last visit online"),
)
FREQUENCY = _family(
    "frequency",
    *_series("purchases", "count", PURCHASE, _WINDOWS, "purchases"),
    _feature("purchases_total", "count", PURCHASE, None, "purchases ever"),
    *_series("purchase_days", "distinct_days", PURCHASE, _WINDOWS, "days with a purchase"),
    _feature("purchase_days_total", "distinct_days", PURCHASE, None, "days with a purchase ever"),
    *_decayed(7, 28, 84),
    _feature("visits_28d", "count", VISIT, 28, "visits online"),
    _ratio("purchases_28d_of_84d", "purchases_28d", "purchases_84d", "share of 84 days' purchases in the last 28"),
    _ratio("purchases_84d_of_365d", "purchases_84d", "purchases_365d", "share of 365 days' purchases in the last 84"),
)
VALUE = _family(
    "value",
    _feature("spend_28d", "sum", SALE, 28, "currency paid less refunds", "amount"),
    _feature("spend_84d", "sum", SALE, 84, "currency paid less refunds", "amount"),
    _feature("spend_365d", "sum", SALE, 365, "currency paid less refunds", "amount"),
    _feature("spend_total", "sum", SALE, None, "currency paid less refunds, ever", "amount"),
    _feature("purchase_mean_84d", "mean", PURCHASE, 84, "mean purchase in currency", "amount"),
    _feature("purchase_mean_365d", "mean", PURCHASE, 365, "mean purchase in currency", "amount"),
    _feature("purchase_std_365d", "std", PURCHASE, 365, "spread of purchases in currency", "amount"),
    _feature("purchase_max_365d", "max", PURCHASE, 365, "largest purchase in currency", "amount"),
    _feature("purchase_last", "last", PURCHASE, None, "last purchase in currency", "amount"),
    _ratio("spend_28d_of_84d", "spend_28d", "spend_84d", "share of 84 days' spend in the last 28"),
    _ratio("spend_84d_of_365d", "spend_84d", "spend_365d", "share of 365 days' spend in the last 84"),
)
RHYTHM = _family(
    "rhythm",
    *_series("gap_mean", "mean_gap_days", PURCHASE, (56, 112, 182, 365), "mean days between purchase days"),
    *_series("gap_std", "std_gap_days", PURCHASE, (56, 112, 182, 365), "spread of days between purchase days"),
    *_series("gap_longest", "longest_gap_days", PURCHASE, (56, 112, 182, 365), "most days between purchase days"),
    _feature("gap_last", "last_gap_days", PURCHASE, None, "days between the last two purchase days"),
    _ratio("recency_over_gap", "days_since_purchase", "gap_mean_365d", "days since the last purchase in mean gaps"),
    _ratio(
        "recency_over_gap_112d",
        "days_since_purchase",
        "gap_mean_112d",
        "days since the last purchase in mean gaps of 112 days",
    ),
    _ratio(
        "recency_over_longest_gap_112d",
        "days_since_purchase",
        "gap_longest_112d",
        "days since the last purchase over the longest gap of 112 days",
    ),
    _ratio(
        "recency_over_longest_gap_365d",
        "days_since_purchase",
        "gap_longest_365d",
        "days since the last purchase over the longest gap of 365 days",
    ),
    _ratio("gap_variation", "gap_std_365d", "gap_mean_365d", "spread of the gaps over their mean"),
    _ratio("gap_last_over_mean", "gap_last", "gap_mean_365d", "last gap in mean gaps"),
    _feature("weekend_purchases_182d", "count", WEEKEND, 182, "purchases on Saturdays and Sundays"),
    _ratio("weekend_share_182d", "weekend_purchases_182d", "purchases_182d", "share of purchases made at weekends"),
)
DISCOUNT_HABIT = _family(
    "discount habit",
    _feature("discount_84d", "sum", PURCHASE, 84, "currency saved by discounts", "discount"),
    _feature("discount_365d", "sum", PURCHASE, 365, "currency saved by discounts", "discount"),
    _ratio("discount_rate_84d", "discount_84d", "spend_84d", "currency saved per unit paid, last 84 days"),
    _ratio("discount_rate_365d", "discount_365d", "spend_365d", "currency saved per unit paid, last 365 days"),
    _feature("discounted_365d", "count", DISCOUNTED, 365, "purchases with a discount"),
    _ratio("discounted_share_365d", "discounted_365d", "purchases_365d", "share of purchases with a discount"),
)
CATEGORY_BREADTH = _family(
    "category breadth",
    *_series("categories", "distinct_categories", PURCHASE, (28, 84, 365), "categories bought from"),
    _ratio(
        "categories_28d_of_365d", "categories_28d", "categories_365d", "share of 365 days' categories in the last 28"
    ),
)
CONTACT_PRESSURE = _family(
    "contact pressure",
    *_series("contacts", "count", CONTACT, (7, 28, 56, 90, 365), "contacts"),
    _feature("contact_days_90d", "distinct_days", CONTACT, 90, "days with a contact"),
    _feature("days_since_contact", "days_since_last", CONTACT, None, "days since the last contact"),
)
PAST_RESPONSE = _family(
    "past response",
    *_series("redemptions", "count", REDEMPTION, (90, 365), "redemptions"),
    _feature("redemptions_total", "count", REDEMPTION, None, "redemptions ever"),
    _feature("redemption_days_365d", "distinct_days", REDEMPTION, 365, "days with a redemption"),
    _feature("days_since_redemption", "days_since_last", REDEMPTION, None, "days since the last redemption"),
    _ratio("redemption_rate_90d", "redemptions_90d", "contacts_90d", "redemptions a contact, last 90 days"),
    _ratio("redemption_rate_365d", "redemptions_365d", "contacts_365d", "redemptions a contact, last 365 days"),
    _feature("clicks_90d", "count", CLICK, 90, "clicks on contacts"),
    _feature("complaints_365d", "count", COMPLAINT, 365, "complaints and unsubscriptions"),
)
TENURE = _family(
    "tenure",
    _feature("days_since_first_purchase", "days_since_first", PURCHASE, None, "days since the first purchase"),
    _feature("days_since_first_event", "days_since_first", ANYTHING, None, "days since the first event"),
)
SEASON = (
    Calendar(name="year_sin", description="sine of the day of the year", part=Part.YEAR_SIN),
    Calendar(name="year_cos", description="cosine of the day of the year", part=Part.YEAR_COS),
    Calendar(name="weekday", description="weekday, Monday is 0", part=Part.WEEKDAY),
    Calendar(name="month_day", description="day of the month", part=Part.MONTH_DAY),
)

STANDARD = FeatureSet(
    (
        *RECENCY,
        *FREQUENCY,
        *VALUE,
        *RHYTHM,
        *DISCOUNT_HABIT,
        *CATEGORY_BREADTH,
        *CONTACT_PRESSURE,
        *PAST_RESPONSE,
        *TENURE,
        *SEASON,
    )
)
