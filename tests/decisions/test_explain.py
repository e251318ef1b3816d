"""Explanations say what was chosen, what came next and why each other action was not possible."""

import json

from decisions.explain import as_dict, paragraph, table, why_silence
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
    assert rows[-1]["priority"] is None
    assert rows[-1]["reasons"] == ["consent mail for marketing (none given; wanted consent)"]


def test_a_machine_reads_the_whole_record_as_json() -> None:
    record = as_dict(decided(LAPSING), "USD")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["choice"] == "win_back/come_back_coupon/email"
    assert record["versions"]["bundle"] == "known"


def test_silence_has_one_reason_to_count_by() -> None:
    dear = compiled(CATALOGUE.replace("cost: 0.01", "cost: 9").replace("cost: 0.5", "cost: 9"))
    full = tuple(contact(days, "mail") for days in (1, 2))
    assert why_silence(decided(LAPSING)) == ""
    assert why_silence(decided(having(features=(1.0, 1.0)))) == "no opening"
    assert why_silence(decided(LAPSING, dear)) == "worth less than silence"
    assert why_silence(decided(having(contacts=full))) == "cap"
    assert "no programme is open" in paragraph(decided(having(features=(1.0, 1.0))), "USD")
