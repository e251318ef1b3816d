"""Rules in a file."""

from pathlib import Path

import pytest

from tactful.serving.errors import SettingsError
from tactful.serving.ingestion.rules import Rules, load_rules


def test_without_a_file_the_standard_holds(tmp_path: Path) -> None:
    assert load_rules(tmp_path / "tracking.yaml") == Rules()


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tracking.yaml"
    file.write_text("events: {Bought: purchase, Seen: null}\ncategories: [tea, cups]\nreach: 90d\n")
    rules = load_rules(file)
    assert (rules.meaning("bought"), rules.meaning("Seen"), rules.category("cups")) == (
        rules.meaning("purchase"),
        None,
        2,
    )
    assert rules.reach.days == 90


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tracking.yaml"
    file.write_text("# nothing yet\n")
    assert load_rules(file) == Rules()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("events:\n  Bought: purchas\n", r"events.Bought.type: unknown word; wanted one of purchase.*\(line 2\)"),
        ("events:\n  Bought:\n    typ: view\n", r"events.Bought.typ: unknown key; did you mean type.*\(line 3\)"),
        ("consents: {newsletter: fax}\n", r"consent for an unknown channel; wanted one of email.*\(line 1\)"),
        ("reach: soon\n", "not a duration"),
        ("reach: 0d\n", "greater than"),
        ("event: {}\n", "unknown key; did you mean events"),
        ("- a\n", "rules: "),
        ("events: {a: view\n", "not YAML.*tracking.yaml:2"),
    ],
)
def test_mistakes_are_told_with_their_lines(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "tracking.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=says):
        load_rules(file)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="rules that cannot be read"):
        load_rules(tmp_path)
