"""Explanations say what was chosen, what came next and why each other action was not possible."""

import json

from tactful.decisions.analysis.explain import as_dict, paragraph, table, why_silence
from tactful.decisions.kernel.decide import RunContext
from tests.decisions.retailer import CATALOGUE, LAPSING, compiled, contact, decided, having


def test_a_person_reads_the_winner_its_worth_the_runners_up_and_the_reasons() -> None:
    text = paragraph(decided(having(consents={("email", "marketing"): True})), "USD")
    assert text.startswith("Chosen: come_back_coupon of win_back by email, worth 3.59 USD more than silence")
    assert "; its outcome is known on 2026-05-13 16:00 UTC." in text
    assert "Behind it: win_back/miss_you/email (0.99 USD)." in text
    assert "Excluded: win_back/miss_you/mail, win_back/come_back_coupon/mail by consent mail for marketing" in text


def test_an_analyst_reads_a_row_a_candidate_best_first() -> None:
    rows = table(decided(having(consents={("email", "marketing"): True})))
    assert [row["action"] for row in rows][:2] == ["win_back/come_back_coupon/email", "win_back/miss_you/email"]
    assert rows[0]["priority"] > rows[1]["priority"]
    assert rows[-1]["priority"] is rows[-1]["terms"] is None
    assert rows[0]["terms"] == {
        "margin": 4.0,
        "retention": 0.0,
        "discount": -0.4,
        "cost": -0.01,
        "unsubscribing": 0.0,
        "contact_price": 0.0,
        "shadow_price": 0.0,
    }
    assert rows[-1]["reasons"] == ["consent mail for marketing (none given; wanted consent)"]


def test_a_machine_reads_the_whole_record_as_json() -> None:
    record = as_dict(decided(LAPSING), "USD")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["choice"] == "win_back/come_back_coupon/email"
    assert record["versions"]["bundle"] == "known"


def test_every_term_of_every_candidate_is_told_and_they_add_up_to_its_worth() -> None:
    scarce = RunContext(prices={"email": 9.0, "mail": 9.0})
    for decision in (decided(LAPSING), decided(LAPSING, run_context=scarce)):
        for told in (table(decision), as_dict(decision, "USD")["candidates"]):
            possible = [row for row in told if row["priority"] is not None]
            assert possible
            assert all(sum(row["terms"].values()) == row["priority"] for row in possible)
    assert why_silence(decision) == "worth less than silence"
    assert (
        "Behind it: win_back/come_back_coupon/email (-5.41 USD: margin 4.00, discount -0.40, cost -0.01, "
        "shadow price -9.00), "
    ) in paragraph(decision, "USD")


def test_silence_has_one_reason_to_count_by() -> None:
    dear = compiled(CATALOGUE.replace("cost: 0.01", "cost: 9").replace("cost: 0.5", "cost: 9"))
    full = tuple(contact(days, "mail") for days in (1, 2))
    assert why_silence(decided(LAPSING)) == ""
    assert why_silence(decided(having(features=(1.0, 1.0)))) == "no opening"
    assert why_silence(decided(LAPSING, dear)) == "worth less than silence"
    assert why_silence(decided(having(contacts=full))) == "cap"
    assert "no programme is open" in paragraph(decided(having(features=(1.0, 1.0))), "USD")
