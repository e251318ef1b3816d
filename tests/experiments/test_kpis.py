"""Key figures: each by hand on a log of a few customers, intervals against simulated truth, and the guide's table."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.readout.kpis import (
    KEY_FIGURES,
    Figure,
    by,
    estimate,
    incremental,
    key_figures,
    of_programmes,
    over_time,
)
from tactful.experiments.readout.logbook import Logbook, period
from tests.experiments.trials import trial, truth

GUIDE = Path(__file__).parents[2] / "docs/reference/key-figures.md"
MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
MONTH = JUNE - MAY


def event(customer: str, day: float, type_: str, amount: float = 0.0, subject: str = "", channel: str = "") -> dict:
    time = pd.Timestamp(MAY + timedelta(days=day))
    return {
        "customer_id": customer,
        "time": time,
        "type": type_,
        "amount": amount,
        "subject": subject,
        "channel": channel,
    }


def decision(customer: str, day: float, message: str) -> dict:
    time = pd.Timestamp(MAY + timedelta(days=day))
    return {"customer": customer, "time": time, "programme": "", "message": message, "channel": ""}


EVENTS = pd.DataFrame(
    [
        event("ada", -20, "purchase", 10.0),
        event("ada", 3, "purchase", 20.0),
        event("ada", 5, "purchase", 40.0),
        event("ben", -10, "purchase", 30.0),
        event("ben", 1, "contact", subject="hello", channel="email"),
        event("ben", 2, "clicked", subject="hello", channel="email"),
        event("cem", 10, "purchase", 60.0),
        event("cem", 11, "contact", subject="hello", channel="email"),
        event("cem", 12, "contact", subject="hello", channel="email"),
        event("cem", 13, "unsubscribed", subject="hello", channel="email"),
        event("cem", 17, "refund", -10.0),
        event("dia", 17, "survey", subject="promoter"),
        event("dia", 40, "purchase", 500.0),
        event("eva", 45, "purchase", 5.0),
    ]
)
LOG = Logbook.of_events(EVENTS, {"hello": "welcome"}, "GBP")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    decided = pd.DataFrame([decision("ada", 2, ""), decision("ben", 1, "hello"), decision("ada", 40, "hello")])
    return period(Logbook(LOG.events, LOG.contacts, decided), MAY, JUNE)


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        ("retention_rate", 1 / 2, 2),
        ("churn_rate", 1 / 2, 2),
        ("repeat_purchase_rate", 1 / 2, 2),
        ("average_order_value", 120 / 3, 2),
        ("revenue_per_customer", 110 / 4, 4),
        ("response_rate", 1 / 3, 2),
        ("unsubscribe_rate", 1 / 4, 4),
        ("share_of_silence", 1 / 2, 2),
    ],
)
def test_figures_by_hand(table: pd.DataFrame, name: str, value: float, n: int) -> None:
    found = key_figures(table, MONTH)[name]
    assert found.value == pytest.approx(value)
    assert found.n == n
    assert "satisfaction" not in key_figures(table, MONTH), "one answer has no interval"
    assert found.low <= found.value <= found.high


def test_contacts_a_week_count_from_when_a_customer_is_known(table: pd.DataFrame) -> None:
    weeks = 31 / 7 + 31 / 7 + 21 / 7 + 14 / 7
    assert key_figures(table, MONTH)["contacts_per_customer_week"].value == pytest.approx(3 / weeks)


def test_the_lifetime_value_is_that_of_the_formula(table: pd.DataFrame) -> None:
    interest = 1.1 ** (31 / 365) - 1
    found = key_figures(table, MONTH)["customer_lifetime_value"]
    assert found.value == pytest.approx(110 / 4 * 0.5 / (1 + interest - 0.5))


def test_customers_who_come_later_do_not_count_yet(table: pd.DataFrame) -> None:
    assert sorted(table["customer"]) == ["ada", "ben", "cem", "dia"]
    assert dict(zip(table["customer"], table["cohort"], strict=True))["ada"] == "2026-04"


def test_figures_by_cohort(table: pd.DataFrame) -> None:
    found = by(table, "cohort", MONTH)
    assert set(found) == {"2026-04", "2026-05"}
    assert found["2026-04"]["revenue_per_customer"].value == 30.0


def test_rates_by_programme_and_channel() -> None:
    found = of_programmes(LOG, MAY, JUNE)
    assert set(found) == {("welcome", "email")}
    assert found["welcome", "email"]["response_rate"].value == pytest.approx(1 / 3)
    assert found["welcome", "email"]["unsubscribe_rate"].value == pytest.approx(1 / 3)


def test_an_answer_belongs_to_the_latest_contact_of_its_message_for_four_weeks() -> None:
    told = pd.DataFrame(
        [
            event("ada", 0, "contact", subject="hello", channel="sms"),
            event("ada", 1, "clicked", subject="hello", channel="email"),
            event("ben", 0, "contact", subject="hello", channel="sms"),
            event("ben", 28.1, "clicked", subject="hello", channel="sms"),
            event("cem", 0, "contact", subject="hello", channel="sms"),
            event("cem", 2, "redeemed", subject="hello", channel="store"),
            event("cem", 3, "redeemed", subject="hello", channel="store"),
            event("cem", 4, "redeemed", subject="goodbye", channel="store"),
        ]
    )
    found = of_programmes(Logbook.of_events(told), MAY, JUNE)
    assert found["(unknown)", "sms"]["response_rate"].value == pytest.approx(1 / 3)


def test_a_share_of_nobody_has_an_interval() -> None:
    quiet = period(Logbook.of_events(EVENTS[EVENTS["type"] != "unsubscribed"]), MAY, JUNE)
    found = key_figures(quiet, MONTH)["unsubscribe_rate"]
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.3 < found.high < 0.6


def test_a_holdout_that_was_contacted_is_none() -> None:
    made = period(LOG, MAY, JUNE)
    with pytest.raises(ReadoutError, match="a hold-out that was not kept"):
        incremental(made, [customer in ("ben", "cem") for customer in made["customer"]])


def test_figures_over_time() -> None:
    found = over_time(LOG, MAY - timedelta(days=31), JUNE, timedelta(days=31))
    assert list(found) == [MAY - timedelta(days=31), MAY]
    assert found[MAY]["average_order_value"].value == 40.0
    for every in (timedelta(days=60), timedelta()):
        with pytest.raises(ReadoutError, match="no whole period"):
            over_time(LOG, MAY, JUNE, every)


def test_a_log_ends_where_it_is_told_to() -> None:
    assert len(LOG.until(MAY).events) == 2


def test_intervals_cover() -> None:
    def of(seed: int) -> pd.DataFrame:
        made = trial(seed, 400)
        return period(Logbook.of_events(made.events.assign(channel="")), made.until - timedelta(weeks=4), made.until)

    tables = [of(seed) for seed in range(150)]
    for name in ("average_order_value", "repeat_purchase_rate", "retention_rate", "customer_lifetime_value"):
        found = [estimate(table, KEY_FIGURES[name], 28 / 365) for table in tables]
        value = np.mean([one.value for one in found if one])
        assert np.mean([one.low <= value <= one.high for one in found if one]) > 0.9, name


def test_the_incremental_value_is_what_contacts_bring() -> None:
    made = trial(1, 8_000, lift=0.3)
    bought = made.events[made.events["type"] == "purchase"].assign(channel="")
    table = period(Logbook.of_events(bought), made.until - timedelta(weeks=4), made.until)
    arm = made.enrolled.set_index("customer")["arm"]
    alone = (arm.reindex(table["customer"]) == "control").to_numpy()
    with pytest.raises(ReadoutError, match="no contact to tell the value of"):
        incremental(table, alone)
    table = table.assign(contacts=1.0 * ~alone)
    found = incremental(table, alone)
    assert found.effect.low < truth(0.3) * 8_000 / len(table) < found.effect.high
    assert found.total[0] == pytest.approx(found.effect.difference * (~alone).sum())
    with pytest.raises(ReadoutError, match="no hold-out"):
        incremental(table, [False] * len(table))


def test_a_holdout_that_lasts_is_not_adjusted_away() -> None:
    rng = np.random.default_rng(0)
    alone = np.arange(4_000) < 2_000
    taste = rng.gamma(2.0, 20.0, len(alone))
    month = [taste + 10 * ~alone + rng.normal(0, 5, len(alone)) for _ in range(2)]
    table = pd.DataFrame({"before_revenue": month[0], "revenue": month[1], "contacts": 1.0 * ~alone})
    found = incremental(table, alone.tolist()).effect
    assert found.low < 10 < found.high


def test_a_period_without_purchases_has_no_incremental_value() -> None:
    quiet = pd.DataFrame({"revenue": np.zeros(40), "contacts": np.repeat([0.0, 1.0], 20)})
    with pytest.raises(ReadoutError, match=r"no incremental value: got '.*does not vary.*: it is 0'"):
        incremental(quiet, (quiet["contacts"] == 0).tolist())


def test_the_guide_defines_every_figure_as_the_code_does() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    units = {"share": "share", "currency": "currency", "count": "contacts", "points": "points"}
    assert {name: (unit, meaning) for name, unit, meaning in rows} == {
        figure.name: (units[figure.unit], figure.meaning) for figure in KEY_FIGURES.values()
    }


def frame(rows: list[dict] | None = None) -> pd.DataFrame:
    columns = ("customer_id", "time", "type", "amount", "subject", "channel")
    made = pd.DataFrame(rows or [], columns=list(columns))
    return made.assign(time=pd.to_datetime(made["time"], utc=True).astype("datetime64[us, UTC]"))


@pytest.mark.parametrize("events", [[], [event("ada", 3, "purchase", 20.0)], [event("ada", 3, "clicked")]])
@pytest.mark.parametrize("kind", ["object", "str"])
def test_where_nobody_was_contacted_the_rest_is_told(events: list[dict], kind: str) -> None:
    nobody = pd.DataFrame({column: pd.Series(dtype=kind) for column in ("customer", "programme", "message", "channel")})
    nobody = nobody.assign(time=pd.Series(dtype="datetime64[us, UTC]"))
    log = Logbook(frame(events), nobody, nobody)
    found = key_figures(period(log, MAY, JUNE), MONTH)
    assert "response_rate" not in found
    assert of_programmes(log, MAY, JUNE) == {}
    assert sorted(over_time(log, MAY, JUNE, MONTH)) == [MAY]


def test_one_order_has_no_interval_and_few_have_a_long_one() -> None:
    def value(*amounts: float) -> Figure | None:
        orders = np.zeros(500)
        orders[: len(amounts)] = 1
        sales = np.zeros(500)
        sales[: len(amounts)] = amounts
        table = pd.DataFrame({"sales": sales, "orders": orders})
        return estimate(table, KEY_FIGURES["average_order_value"], 1.0)

    assert value(30.0) is None
    few = value(10.0, 30.0, 80.0)
    assert few is not None
    assert few.n == 3
    assert few.low < 0 < 100 < few.high
    assert few.high - few.value > few.value - few.low
