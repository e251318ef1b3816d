"""The whole demo, once, as a stranger runs it; what it printed and what it left behind."""

import re
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from tactful.cli.demo.service import serving
from tests.e2e.command import ROOT, tactful

pytestmark = pytest.mark.timeout(900)
HOUSEHOLDS = 2_469


def estimates(values: Any) -> Iterator[dict[str, float]]:
    """Every value with an interval, wherever it stands."""
    if isinstance(values, dict) and values.keys() == {"value", "low", "high"}:
        yield values
    elif isinstance(values, dict):
        for inner in values.values():
            yield from estimates(inner)


NAMES = {"rfm": "RFM logit", "bgnbd": "BG/NBD"}


def figures(report: dict[str, Any]) -> Iterator[str]:
    """The rows of the guide's table."""
    for name in ("lapse", "response"):
        yield row_of(f"**{name}**", report[name])
        for baseline, values in report[name]["baselines"].items():
            yield row_of(NAMES.get(baseline, f"{baseline.replace('_', ' ')} alone"), values)


def row_of(name: str, values: dict[str, Any]) -> str:
    told = (values[figure] for figure in ("auc", "log_loss", "ece"))
    cells = [f"{e['value']:.3f} ({e['low']:.3f} to {e['high']:.3f})" for e in told]
    return f"| {' | '.join([name, *cells])} |"


def test_the_models_reach_their_bars(demo):
    lapse, response = demo.report["lapse"], demo.report["response"]
    assert lapse["auc"]["value"] >= 0.85
    assert response["auc"]["value"] >= 0.80
    assert lapse["ece"]["value"] <= 0.03
    assert response["ece"]["value"] <= 0.03


def test_the_models_beat_their_baselines(demo):
    baselines = demo.report["lapse"]["baselines"] | demo.report["response"]["baselines"]
    assert set(baselines) == {"bgnbd", "frequency", "recency", "rfm", "past_redemptions"}
    assert all(baseline["auc_gain"]["low"] > 0 for baseline in baselines.values())
    assert demo.report["lapse"]["champion"]
    assert demo.report["response"]["champion"]


@pytest.mark.parametrize(
    ("model", "baselines"), [("lapse", {"bgnbd", "frequency", "recency", "rfm"}), ("response", {"past_redemptions"})]
)
def test_each_figure_has_an_interval_about_it(demo, model, baselines):
    figures = demo.report[model]
    assert set(figures["baselines"]) == baselines
    assert {"auc", "log_loss", "ece"} <= figures.keys()
    assert len(list(estimates(figures))) == 3 + 5 * len(baselines)
    assert all(e["low"] <= e["value"] <= e["high"] for e in estimates(figures))


def test_everybody_gets_a_message_or_silence(demo):
    decisions = demo.report["decisions"]
    assert decisions["customers"] == HOUSEHOLDS
    assert decisions["failures"] == {}
    assert decisions["messages"] + decisions["silences"] == HOUSEHOLDS
    assert sum(sum(split.values()) for split in decisions["by_programme"].values()) == decisions["messages"]
    assert sum(decisions["silences_by_reason"].values()) == decisions["silences"]
    assert set(decisions["by_programme"]) == {
        "win_back", "churn_risk", "loyalty", "welcome", "offer_expiry", "thank_you"
    }  # fmt: skip


def test_no_cap_is_broken(demo):
    decisions = demo.report["decisions"]
    assert decisions["cap_violations"] == 0
    assert all(sum(load.values()) == HOUSEHOLDS for load in decisions["contacts_per_customer"].values())


def test_every_step_has_its_seconds(demo):
    assert {"import", "features", "train", "decide"} <= demo.report["seconds"].keys()


def test_features_are_forty_at_least_in_their_families(demo):
    features = demo.report["features"]
    assert features["count"] == sum(features["families"].values()) >= 40
    assert len(features["families"]) == 10


def test_some_household_gets_a_message_and_another_silence_with_reasons(demo):
    answers = demo.report["examples"]
    messages = [answer for answer in answers if answer["choice"]]
    silences = [answer for answer in answers if not answer["choice"]]
    assert len({answer["choice"]["programme"] for answer in messages}) >= 4
    assert all(answer["choice"]["body"] for answer in messages)
    assert silences
    assert all(answer["silence"] for answer in silences)


def test_the_transcript_tells_silence_and_exclusions(demo):
    assert re.search(r"^ *decision +SILENCE: ", demo.transcript, re.MULTILINE)
    assert "consent email for marketing (refused; wanted consent)" in " ".join(demo.transcript.split())
    assert "cap mail_budget (2 contacts in 28d; wanted at most 2 in 28d" in " ".join(demo.transcript.split())
    assert [line[0] for line in demo.transcript.splitlines() if re.match(r"\d  \w", line)] == list("1234567")


def test_the_transcript_says_what_is_generated_and_what_is_not_claimed(demo):
    for told in (demo.transcript, demo.page):
        words = " ".join(told.split())
        assert "First names are generated" in words
        assert "nothing here claims an uplift" in words


def test_the_transcript_is_plain_and_names_the_report(demo):
    lines = demo.transcript.splitlines()
    assert "\x1b" not in demo.transcript
    assert all(line == line.rstrip() and len(line) <= 100 for line in lines if str(demo.folder) not in line)
    assert str(demo.folder / "report.html") in demo.transcript


def test_the_decision_log_has_every_decision(demo):
    with sqlite3.connect(f"file:{demo.folder / 'tactful.db'}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM decisions").fetchone()
        (latest,) = connection.execute("SELECT max(time) FROM events").fetchone()
        (moment,) = connection.execute("SELECT min(moment) FROM decisions").fetchone()
    connection.close()
    assert count == HOUSEHOLDS + len(demo.report["examples"])
    assert latest < moment


class References(HTMLParser):
    """What a page would load from elsewhere, and how many plots stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.plots = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plots += tag == "svg"
        loading = {"src", "href", "xlink:href", "srcset", "data", "action", "poster"}
        self.found += [value or "" for name, value in attrs if name in loading]


def test_the_page_needs_nothing_beside_itself(demo):
    references = References()
    references.feed(demo.page)
    assert all(reference.startswith("#") for reference in references.found)
    assert not re.search(r"@import|url\((?!#)", demo.page)
    assert "<script" not in demo.page
    assert references.plots >= 5


def test_the_service_goes_on_with_the_same_data(demo):
    known = demo.report["examples"][0]
    with serving(demo.folder) as client:
        again = client.get(f"/v1/decisions/{known['id']}").raise_for_status().json()
    assert again == known


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = tactful("demo", "--out", str(tmp_path))
    assert result.returncode == 2
    assert "the folder holds something else: got 'thesis.txt'" in result.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_tutorial_shows_what_the_demo_prints(demo):
    tutorial = (ROOT / "docs" / "tutorials" / "demo.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```transcript\n(.*?)^```$", tutorial, re.MULTILINE | re.DOTALL)
    assert shown in demo.transcript


def test_the_guide_to_models_has_the_figures_of_the_demo(demo):
    guide = (ROOT / "docs" / "explanation" / "models.md").read_text(encoding="utf-8")
    assert [row for row in figures(demo.report) if row not in guide.splitlines()] == []
