"""The metrics of experiments: each is a ratio of two sums over customers, with a unit and a good direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

MetricName = Literal[
    "conversion", "revenue_per_customer", "orders_per_customer", "average_order_value", "retention_28",
    "retention_56", "retention_90", "contacts_per_customer", "response", "unsubscribes", "complaints", "satisfaction",
]  # fmt: skip
Unit = Literal["share", "currency", "count", "points"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a table with one row a customer.

    Attributes:
        name: Its name.
        title: Its name for people.
        numerator: The column that is summed above.
        denominator: The column that is summed below; customers where None.
        unit: Of the quotient.
        better: 1 where more of it is better, −1 where less is.
        covariate: The column of the time before the experiment that predicts the numerator, or None.
        meaning: Its definition, in words.
    """

    name: MetricName
    title: str
    numerator: str
    denominator: str | None
    unit: Unit
    better: int
    covariate: str | None
    meaning: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(column for column in (self.numerator, self.denominator, self.covariate) if column)

    def shown(self, value: float, currency: str = "", *, signed: bool = False) -> str:
        """A value with its unit; a difference of shares is in percentage points.

        Example:
            >>> METRICS["conversion"].shown(0.0412), METRICS["conversion"].shown(0.004, signed=True)
            ('4.1 %', '+0.40 pp')
        """
        sign = "+" if signed else ""
        if self.unit == "share":
            return f"{100 * value:{sign}.2f} pp" if signed else f"{100 * value:.1f} %"
        unit = {"currency": f" {currency}".rstrip(), "points": " points", "count": ""}[self.unit]
        return f"{value:{sign},.2f}{unit}"


def _metrics() -> dict[str, Metric]:
    buys = "bought in the {} up to day {} after entering; only customers who entered so long ago count"
    return {
        metric.name: metric
        for metric in (
            Metric("conversion", "Conversion", "converted", None, "share", 1, "before_converted",
                   "customers who bought at least once"),
            Metric("revenue_per_customer", "Revenue per customer", "revenue", None, "currency", 1, "before_revenue",
                   "purchases less refunds, over all customers, buyers or not"),
            Metric("orders_per_customer", "Orders per customer", "orders", None, "count", 1, "before_orders",
                   "purchases, over all customers"),
            Metric("average_order_value", "Average order value", "sales", "orders", "currency", 1, None,
                   "purchases in currency, over purchases in number"),
            *(Metric(name, f"Retention at {day} days", f"retained_{day}", f"matured_{day}", "share", 1,
                     "before_converted", buys.format("28 days", day)) for name, day in RETENTION.items()),
            Metric("contacts_per_customer", "Contacts per customer", "contacts", None, "count", -1, "before_contacts",
                   "contacts made, over all customers"),
            Metric("response", "Responses per contact", "responses", "contacts", "share", 1, None,
                   "clicks, conversions and redemptions, over contacts"),
            Metric("unsubscribes", "Unsubscribes", "unsubscribed", None, "share", -1, None,
                   "customers who unsubscribed at least once"),
            Metric("complaints", "Complaints", "complained", None, "share", -1, None,
                   "customers who complained at least once"),
            Metric("satisfaction", "Satisfaction", "survey_points", "surveys", "points", 1, None,
                   "net promoter score: promoters 100, passives 0, detractors −100, over answers"),
        )
    }  # fmt: skip


RETENTION: Mapping[MetricName, int] = {"retention_28": 28, "retention_56": 56, "retention_90": 90}
"""Days after entering, by metric."""
METRICS: Mapping[str, Metric] = _metrics()
"""Every metric by name."""
assert tuple(METRICS) == get_args(MetricName)
