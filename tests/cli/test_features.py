"""`tactful features`: every feature with its meaning."""

import json
from pathlib import Path

from typer.testing import CliRunner

from tactful.cli.main import app
from tactful.features.definitions.standard import STANDARD
from tests.decisions.retailer import CATALOGUE

LOYALTY = "loyalty: {points: {per_currency: 1}}\n"


def listed(*arguments: str) -> tuple[int, list[dict[str, str]]]:
    result = CliRunner().invoke(app, ["features", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_every_feature_is_listed_with_its_meaning() -> None:
    code, rows = listed()
    assert code == 0
    assert [row["name"] for row in rows] == list(STANDARD.names)
    assert all(row["meaning"] and row["family"] for row in rows)


def test_a_word_selects_and_a_word_of_nothing_exits_with_1() -> None:
    code, rows = listed("Weekend")
    assert code == 0
    assert {"weekend_share_182d"} <= {row["name"] for row in rows} < set(STANDARD.names)
    assert listed("no such feature") == (1, [])


def test_a_catalogue_adds_its_own(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    spending = "features.spend >= 100.0"
    assert spending in CATALOGUE
    file.write_text(CATALOGUE.replace("features.spend ", "features.spend_365d ") + LOYALTY, encoding="utf-8")
    result = CliRunner().invoke(app, ["features", "points", "--catalogue", str(file), "--data", str(tmp_path)])
    assert "points_spendable" in result.stdout, result.output
    assert "points that can be spent" in result.stdout
