import json
from pathlib import Path

import pytest

from tactful.decisions.analysis.sensitivity import FACTORS
from tactful.features.errors import TactfulError
from tests.cli.shopfront import opened, tactful, words
from tests.serving.shop import CATALOGUE

SPARING = CATALOGUE.replace("value: 20", "value: 0")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return opened(tmp_path_factory.mktemp("trials") / "shop")


@pytest.fixture
def catalogues(tmp_path) -> tuple[str, str]:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(CATALOGUE, encoding="utf-8")
    new.write_text(SPARING, encoding="utf-8")
    return str(old), str(new)


def test_a_diff_is_markdown_for_a_pull_request(data, catalogues):
    result = tactful("catalogue", "diff", *catalogues, "--decisions", str(data))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "### old.yaml → new.yaml"
    assert "**1 of 6 decisions change** (6 customers)." in lines
    assert "- customers left without any message: 1 (such as leaver)" in lines
    assert "- actions that starve: `win_back/miss_you/email`" in lines
    assert "| everybody | win_back | 1 | 0 | -0.167 (-0.493 to +0.160) |" in lines


def test_a_diff_as_json(data, catalogues):
    found = json.loads(tactful("catalogue", "diff", *catalogues, "--decisions", str(data), "--json").stdout)
    assert (found["decisions"], found["changed"], found["silenced"]) == (6, 1, ["leaver"])
    assert found["contacts"].keys() == found["value"].keys() == {"mean", "low", "high"}
    (lost,) = (c for c in found["changes"] if (c["segment"], c["subject"]) == ("everybody", "win_back"))
    assert (lost["before"], lost["after"], round(lost["change"]["mean"], 3)) == (1, 0, -0.167)


def test_a_catalogue_is_no_different_from_itself(data, catalogues):
    old, _ = catalogues
    result = tactful("catalogue", "diff", old, old, "--decisions", str(data))
    assert "**0 of 6 decisions change**" in result.stdout
    assert "|" not in result.stdout


def test_a_diff_with_a_catalogue_that_is_wrong_names_the_line(data, catalogues):
    old, new = catalogues
    Path(new).write_text(CATALOGUE.replace("value: 20", "value: features.spnd"), encoding="utf-8")
    result = tactful("catalogue", "diff", old, new, "--decisions", str(data))
    assert isinstance(result.exception, TactfulError)
    assert f"{new}:" in str(result.exception)


def test_sensitivity_is_a_share_by_factor(data):
    result = tactful("catalogue", "sensitivity", "--decisions", str(data))
    assert result.exit_code == 0
    assert words(result.stdout).startswith("without winners that change")
    assert result.stdout.endswith("Of 3 decisions with at least one action that passed every gate.\n")
    found = json.loads(tactful("catalogue", "sensitivity", "--decisions", str(data), "--json").stdout)
    assert found["decisions"] == 3
    assert set(FACTORS) == found["changed"].keys()
    assert all(f"{factor} {share:.1%}" in words(result.stdout) for factor, share in found["changed"].items())


def test_a_preview_shows_each_channel_with_the_customers_own_words(data):
    result = tactful("catalogue", "preview", "miss_you", "--customer", "leaver", "--data", str(data))
    assert result.exit_code == 0
    text = words(result.stdout)
    assert "subject We miss you body Dear Ada, it has been 45 days. Take this, good for" in text
    assert text.count("Dear Ada") == 2


@pytest.mark.parametrize(
    ("message", "customer", "complaint"),
    [
        ("hello", "leaver", "unknown message: got 'hello'; wanted happy_birthday, miss_you, "),
        ("miss_you", "nobody", "unknown customer: got 'nobody'; wanted "),
    ],
)
def test_a_preview_of_what_there_is_not_is_an_error(data, message, customer, complaint):
    result = tactful("catalogue", "preview", message, "--customer", customer, "--data", str(data))
    assert isinstance(result.exception, TactfulError)
    assert str(result.exception).startswith(complaint)


@pytest.mark.parametrize("command", ["diff", "sensitivity"])
def test_a_folder_without_models_says_how_to_fill_it(tmp_path, catalogues, command):
    files = catalogues if command == "diff" else ()
    result = tactful("catalogue", command, *files, "--decisions", str(tmp_path / "empty"))
    assert str(result.exception).endswith("wanted a folder that `tactful init` or `make demo` has filled")
