import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tactful.cli.commands.catalogue.group import told
from tactful.cli.main import app
from tactful.decisions.base.errors import CatalogueError
from tactful.decisions.conformance.conform import Check
from tactful.models.base.errors import BundleError
from tests.serving.shop import CATALOGUE, export_bundle


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    export_bundle(folder / "champion")
    return folder


MISTAKES = {
    "value: 20": "value: features.spnd_365d",
    "channels: [email, mail]": "channels: [email, fax]",
    "{id: weekly, kind: cap, max: 2, window: 7d}": "{id: weekly, kind: cap, max: -2, window: 7d}",
    "offer: {kind: A, days: 30}": "offer: {kind: Z, days: 30}",
    "Thank you, {{ customer.first_name | default: 'friend' }}!": "Thank you, {{ customer.first_name }}!",
}


def check(tmp_path: Path, data: Path, text: str, *options: str):
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["catalogue", "check", str(file), "--data", str(data), *options]), file


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def with_mistakes() -> str:
    text = CATALOGUE
    for right, wrong in MISTAKES.items():
        assert right in text
        text = text.replace(right, wrong)
    return text


def test_warnings_alone_do_no_harm(tmp_path, data):
    result, file = check(tmp_path, data, CATALOGUE)
    *lines, summary = result.stdout.splitlines()
    warnings = [line for line in lines if ": on by default: " not in line]
    assert result.exit_code == 0
    assert summary == f"{file}: 0 errors, {len(warnings)} warnings"
    assert f"{file}:{line_of(CATALOGUE, 'goal: ')}: warning: attribute 'goal' is read by nothing" in warnings[1]


def test_every_mistake_is_named_with_file_and_line(tmp_path, data):
    text = with_mistakes()
    result, file = check(tmp_path, data, text)
    errors = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert result.exit_code == 1
    assert f"\n{file}: 5 errors, " in result.stdout
    assert {int(line.removeprefix(f"{file}:").split(":")[0]) for line in errors} == {
        line_of(text, wrong) for wrong in MISTAKES.values()
    }


def test_a_finding_says_how_to_mend_it(tmp_path, data):
    result, _ = check(tmp_path, data, CATALOGUE.replace("[email, mail]", "[email, fax]"))
    assert "unknown channel 'fax' (known: email, mail, sms)" in result.stdout


def test_findings_as_json(tmp_path, data):
    result, file = check(tmp_path, data, with_mistakes(), "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["file"], report["errors"]) == (str(file), 5)
    assert report["errors"] + report["warnings"] == len(report["findings"])
    assert set(report["findings"][0]) == {"file", "line", "severity", "message", "mend"}


def test_what_is_on_by_default_is_said_until_the_catalogue_states_it(tmp_path, data):
    def defaults(text: str) -> list[str]:
        result, _ = check(tmp_path, data, text, "--json")
        return json.loads(result.stdout)["on_by_default"]

    stated = "exploration: {holdout: 0.05, uniform: 0.05}\nattribution_window: 7d\npolicy: {kind: inverse_gap}\n"
    bare = "".join(
        line for line in CATALOGUE.splitlines(True) if line.partition(":")[0] not in ("exploration", "policy")
    )
    assert [line.rpartition("(")[2] for line in defaults(bare)] == [
        "exploration.holdout)", "exploration.uniform)", "policy)", "attribution_window)"
    ]  # fmt: skip
    assert defaults(bare)[0].startswith("5% of customers are never contacted")
    assert defaults(stated + bare) == []


def test_what_is_not_yaml_is_a_finding(tmp_path, data):
    result, file = check(tmp_path, data, "catalogue: [")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:1: error: not YAML")


def test_a_file_that_is_not_there_is_an_error(data):
    result = CliRunner().invoke(app, ["catalogue", "check", "nowhere.yaml", "--data", str(data)])
    assert result.exit_code == 2
    assert "nowhere.yaml" in result.output


def conform(tmp_path: Path, data: Path, text: str, *options: str):
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["catalogue", "conform", str(file), "--data", str(data), *options]), file


def test_a_catalogue_that_keeps_its_promises(tmp_path, data):
    result, file = conform(tmp_path, data, CATALOGUE)
    assert result.exit_code == 0, result.output
    *rows, summary = result.stdout.splitlines()
    assert summary.startswith(f"{file}: ")
    assert " passed, 0 failed, " in summary
    assert any("rolling window" in row and "weekly" in row and "passed" in row for row in rows)


def test_promises_as_json(tmp_path, data):
    result, file = conform(tmp_path, data, CATALOGUE, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["file"], report["failed"]) == (str(file), 0)
    assert report["passed"] + report["not applicable"] == len(report["checks"])
    assert set(report["checks"][0]) == {"name", "subject", "outcome", "observed"}


def test_a_catalogue_with_mistakes_has_no_promises_to_keep(tmp_path, data):
    result, _ = conform(tmp_path, data, with_mistakes())
    assert isinstance(result.exception, CatalogueError)


def test_broken_promises_are_counted(capsys):
    checks = [Check("rolling window", "weekly", "failed", "seen"), Check("late joiner", "welcome", "passed", "seen")]
    assert told(Path("shop.yaml"), checks, as_json=False) == 1
    assert capsys.readouterr().out.endswith("shop.yaml: 1 passed, 1 failed, 0 not applicable\n")


def test_the_schema_is_one(tmp_path):
    result = CliRunner().invoke(app, ["catalogue", "schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["required"] == ["catalogue", "currency", "channels", "programmes"]


SHIPPED = sorted((Path(__file__).parents[2] / "decisions" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_catalogue_we_ship_needs_no_models_to_be_checked(tmp_path, file):
    result = CliRunner().invoke(app, ["catalogue", "check", str(file), "--data", str(tmp_path / "new")])
    assert result.exit_code == 0
    assert result.stdout.endswith(f"{file}: 0 errors, 0 warnings\n")
    assert result.stderr.startswith(f"{tmp_path / 'new' / 'champion'}: no models yet; the catalogue may name ")
    assert len(result.stderr.splitlines()) == 1


def test_a_catalogue_we_ship_needs_no_models_to_keep_its_promises(tmp_path):
    file = next(file for file in SHIPPED if file.stem == "grocery")
    result = CliRunner().invoke(app, ["catalogue", "conform", str(file), "--data", str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["failed"] == 0


@pytest.mark.parametrize(("wrong", "mistakes"), [("{days: 30}", 1), ("{kind: Z, days: 30}", 0)])
def test_offers_need_the_same_figures_where_no_model_says_which(tmp_path, wrong, mistakes):
    second = CATALOGUE.replace("value: 5", f"value: 5\n        offer: {wrong}")
    result, _ = check(tmp_path, tmp_path / "new", second, "--json")
    assert json.loads(result.stdout)["errors"] == mistakes


@pytest.mark.parametrize("text", ["catalogue: [", "", "[1, 2]"])
def test_without_models_a_catalogue_that_is_none_is_a_finding_still(tmp_path, text):
    result, file = check(tmp_path, tmp_path / "new", text)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:1: error: ")


def test_a_damaged_bundle_is_not_passed_over(tmp_path, data):
    shutil.copytree(data, tmp_path / "shop")
    (tmp_path / "shop" / "champion" / "lapse.txt").write_text("tree")
    result, _ = check(tmp_path, tmp_path / "shop", CATALOGUE)
    assert isinstance(result.exception, BundleError)
