import json
from datetime import timedelta
from pathlib import Path

import pytest

from tactful.features.errors import TactfulError
from tests.cli.shopfront import opened, tactful, words
from tests.serving.shop import NOW, export_bundle, point_to


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return opened(tmp_path_factory.mktemp("cli") / "shop")


def told(data: Path, *arguments: str) -> str:
    result = tactful(*arguments, "--data", str(data))
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 100 and line == line.rstrip() for line in result.stdout.splitlines())
    return words(result.stdout)


def answered(data: Path, *arguments: str) -> dict:
    return json.loads(tactful(*arguments, "--data", str(data), "--json").stdout)


def error(data: Path, *arguments: str) -> str:
    result = tactful(*arguments, "--data", str(data))
    assert isinstance(result.exception, TactfulError)
    assert result.stdout == ""
    return str(result.exception)


def test_a_slate_begins_with_the_decisions_own_choice(data):
    found = answered(data, "explain", "d-leaver", "--places", "2")
    assert found["slate"][0] == {"place": 1, "action": found["choice"], "probability": found["probability"]}
    assert told(data, "explain", "d-leaver", "--places", "2").endswith("1 win_back/miss_you/email 1.000")
    assert answered(data, "explain", "d-leaver")["slate"] == []


def test_reasons_say_what_moved_a_score_and_by_what(data):
    found = answered(data, "explain", "d-leaver", "--reasons", "3")
    lapse = found["reasons"]["lapse"]
    assert lapse["value"] == found["scores"]["lapse"]
    assert lapse["bundle"] == found["versions"]["bundle"]
    assert [reason["direction"] == "raises" for reason in lapse["reasons"]] == [
        reason["odds"] > 1 for reason in lapse["reasons"]
    ]
    text = told(data, "explain", "d-leaver", "--reasons", "3")
    assert f"lapse {lapse['value']:.3f} by odds" in text
    first = lapse["reasons"][0]
    assert f"{first['words']} × {first['odds']:.2f}" in text
    assert answered(data, "explain", "d-leaver")["reasons"] == {}


def test_reasons_of_other_models_than_the_decisions_name_them(tmp_path):
    data = opened(tmp_path / "shop")
    before = answered(data, "explain", "d-leaver")["versions"]["bundle"]
    second = export_bundle(data / "bundles" / "second", seed=1)
    point_to(data / "champion", data / "bundles" / "second")
    text = told(data, "explain", "d-leaver", "--reasons", "1")
    assert text.endswith(f"By bundle {second}, in use now; the decision was made with {before}.")


def test_an_explanation_ranks_what_was_possible_with_silence_among_it(data):
    text = told(data, "explain", "d-leaver")
    assert text.startswith("Chosen: miss_you of win_back by email, worth ")
    ranked = text.split("possible worth, USD probability")[1]
    places = [ranked.index(row) for row in ("win_back/miss_you/email", "win_back/miss_you/mail", "silence 0.00")]
    assert places == sorted(places)
    assert "excluded by" not in text


def test_an_explanation_names_what_each_loser_would_have_needed(data):
    text = told(data, "explain", "d-thankful")
    assert "would win with ─" in text
    assert " a value above " in text
    assert " a score above " in text


def test_an_explanation_of_silence_names_the_consent_that_lacks(data):
    text = told(data, "explain", "d-refuser")
    assert text.startswith("Silence: each of 2 candidate actions is excluded.")
    assert "consent email for marketing (refused; wanted consent)" in text


def test_an_explanation_of_silence_names_what_is_closed(data):
    text = told(data, "explain", "d-regular")
    assert text.startswith("Silence: no programme is open: ")
    assert "excluded by" not in text


def test_an_explanation_for_a_machine_has_a_remedy_list_for_each_loser(data):
    found = answered(data, "explain", "d-thankful")
    losers = {candidate["action"] for candidate in found["candidates"]} - {found["choice"]}
    assert found["remedies"].keys() == losers
    kinds = {remedy["kind"] for remedies in found["remedies"].values() for remedy in remedies}
    assert {"value", "score"} <= kinds
    assert all(r.keys() == {"kind", "subject", "current", "needed"} for rs in found["remedies"].values() for r in rs)
    assert found["explanation"].startswith("Chosen: thank_you of thanks by email")


def test_a_remedy_may_be_to_wait(tmp_path):
    data = opened(tmp_path / "shop", NOW + timedelta(hours=11))
    text = told(data, "explain", "d-leaver")
    assert text.endswith(" win_back/miss_you/email a moment from 2026-05-07 06:00 UTC on night left out")
    remedies = answered(data, "explain", "d-leaver")["remedies"]["win_back/miss_you/email"]
    assert [remedy["needed"] for remedy in remedies] == ["2026-05-07T06:00:00+00:00", "left out"]


def test_a_replay_is_identical(data):
    assert told(data, "replay", "d-leaver") == "d-leaver: identical, byte for byte"
    assert answered(data, "replay", "d-refuser") == {
        "identical": True, "place": "", "recorded": None, "replayed": None, "cause": ""
    }  # fmt: skip


def test_a_replay_with_other_models_names_them_as_the_cause(tmp_path):
    data = opened(tmp_path / "shop")
    export_bundle(data / "bundles" / "second", seed=1)
    point_to(data / "champion", data / "bundles" / "second")
    result = tactful("replay", "d-leaver", "--data", str(data))
    assert result.exit_code == 1
    assert result.stdout.startswith("d-leaver: differs at candidates.0.factors.")
    assert result.stdout.endswith("(cause: bundle)\n")


def test_another_moment_closes_or_opens(data):
    night = told(data, "what-if", "d-leaver", "--at", "2026-05-06T23:00-04:00")
    assert night.startswith("changed: win_back/miss_you/mail instead of win_back/miss_you/email")
    assert "quiet_hours night" in night
    assert told(data, "what-if", "d-leaver", "--at", "2026-05-06T23:00-04:00", "--without", "night").startswith(
        "unchanged: win_back/miss_you/email"
    )


def test_a_moment_without_a_zone_is_utc(data):
    zoned, plain = (
        answered(data, "what-if", "d-leaver", "--at", f"2026-05-06T14:00{zone}")["after"] for zone in ("+00:00", "")
    )
    assert zoned == plain
    assert plain["moment"].startswith("2026-05-06T14:00:00")


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (("--score", "lapse=0.1"), "silence"),
        (("--feature", "days_since_purchase=3"), "silence"),
        (("--value", "miss_you=0"), "silence"),
        (("--value", "miss_you=100"), "win_back/miss_you/email"),
    ],
    ids=lambda part: part[-1] if isinstance(part, tuple) else "",
)
def test_other_scores_features_and_values_decide_otherwise(data, options, outcome):
    found = answered(data, "what-if", "d-leaver", *options)
    assert found.keys() == {"before", "after"}
    assert found["before"]["choice"] == "win_back/miss_you/email"
    assert found["after"]["choice"] == outcome


@pytest.mark.parametrize("command", ["explain", "replay", "what-if"])
def test_an_unknown_decision_is_an_error(data, command):
    assert error(data, command, "nobody") == ("unknown decision: got 'nobody'; wanted the id of a decision made before")


@pytest.mark.parametrize("command", ["explain", "replay", "what-if"])
def test_a_folder_without_models_says_how_to_fill_it_and_stays_as_it_is(tmp_path, command):
    assert error(tmp_path, command, "d-leaver").endswith(
        "wanted a folder that `tactful init` or `make demo` has filled"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--score", "lapse"), "not an assignment: got 'lapse'; wanted NAME=NUMBER"),
        (("--score", "lapse=high"), "not an assignment: got 'lapse=high'; wanted NAME=NUMBER"),
        (("--value", "miss_you=inf"), "not an assignment: got 'miss_you=inf'; wanted NAME=NUMBER"),
        (("--feature", "spend=1"), "unknown feature in a what-if: got 'spend'; wanted "),
        (("--score", "mood=1"), "unknown score in a what-if: got 'mood'; wanted clv, contract_churn, lapse, "),
        (("--value", "hello=1"), "unknown message in a what-if: got 'hello'; wanted "),
        (("--without", "rain"), "unknown contact policy in a what-if: got 'rain'; wanted complaint, monthly_mail, "),
        (("--at", "noon"), "not a moment: got 'noon'; wanted ISO 8601, such as "),
    ],
    ids=lambda part: part[-1] if isinstance(part, tuple) else "",
)
def test_what_cannot_be_supposed_is_an_error(data, options, complaint):
    assert error(data, "what-if", "d-leaver", *options).startswith(complaint)
