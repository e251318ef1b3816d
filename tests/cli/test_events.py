import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tactful.cli.commands.events import events_app
from tactful.features.errors import EventError, MappingError
from tactful.features.events.dataset import open_events, read_events
from tactful.serving.bootstrap import open_store
from tactful.serving.settings import Settings
from tactful.serving.store.queries import refused
from tactful.serving.store.queries.refused import Refused
from tests.checked_text import CheckedText
from tests.cli.shopfront import tactful

MAPPING = CheckedText("""\
zone: America/New_York
customer: who
time: day
amount: paid
events:
  - type: purchase
""")


@pytest.fixture
def log(tmp_path) -> Path:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    file = tmp_path / "log.csv"
    file.write_text("who,day,paid\na,2026-01-01,1\nb,2026-01-02,2\n,2026-01-02,2\nc,soon,2\nd,then,2\n")
    return file


def run(log: Path, *options: str, mapping: str = "mapping.yaml"):
    arguments = ["import", str(log), "--mapping", str(log.parent / mapping), "--out", str(log.parent / "out")]
    return CliRunner().invoke(events_app, [*arguments, *options], env={"COLUMNS": "200"})


def test_import_writes_events_and_quarantine_and_says_so(log):
    result = run(log, "--buckets", "2")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert {"rows read 5", "rows in events 2", "rows rejected 3", "events 2", "purchase 2", "customers 2"} <= set(lines)
    assert {"time missing or not readable 2 2", "missing customer_id 1 1"} <= set(lines)
    assert f"rejected rows: {log.parent / 'out' / 'quarantine.parquet'}" in lines
    assert result.stderr == ""
    assert read_events(log.parent / "out")["customer_id"].sort_values().tolist() == ["a", "b"]
    assert open_events(log.parent / "out").zone == "America/New_York"
    quarantine = pd.read_parquet(log.parent / "out" / "quarantine.parquet")
    assert quarantine["rejected_row"].tolist() == [3, 4, 5]
    assert quarantine["day"].tolist() == ["2026-01-02", "soon", "then"]


def test_json_is_one_object_and_nothing_else(log):
    result = run(log, "--json")
    dataset = open_events(log.parent / "out")
    assert json.loads(result.stdout) == {
        "rows": {"read": 5, "used": 2, "rejected": 3},
        "events": {"total": 2, "purchase": 2},
        "customers": 2,
        "customers_with_zone": 0,
        "unknown_zones": {},
        "categories": 0,
        "first": "2026-01-01T05:00:00+00:00",
        "last": "2026-01-02T05:00:00+00:00",
        "rejected": {"missing customer_id": 1, "time missing or not readable": 2},
        "rejected_lines": {"missing customer_id": 1, "time missing or not readable": 2},
        "swallowed": [],
        "quarantine": str(log.parent / "out" / "quarantine.parquet"),
        "dataset": {"folder": str(log.parent / "out"), "buckets": 8, "digest": dataset.digest},
    }
    assert result.stderr == ""


def test_rows_swallowed_by_a_quote_are_named_and_the_command_fails(log):
    log.write_text('who,day,paid,note\na,2026-01-01,1,"x\nb,2026-01-02,2,y\nc,2026-01-02,2,z\n')
    assert isinstance(run(log).exception, MappingError)
    log.write_text('who,day,paid,note\na,2026-01-01,1,\nb,2026-01-02,2,"y\nc,2026-01-02,2,z\n')
    result = run(log, "--json")
    assert result.exit_code == 1
    assert "lines 3 to 4 (2 lines) are one row: malformed line: unclosed quote" in result.stderr
    swallowed = {"first": 3, "last": 4, "lines": 2, "reason": "malformed line: unclosed quote"}
    assert json.loads(result.stdout)["swallowed"] == [swallowed]
    quarantine = pd.read_parquet(log.parent / "out" / "quarantine.parquet")
    assert quarantine["rejected_text"].tolist() == ['b,2026-01-02,2,"y\nc,2026-01-02,2,z']


def test_importing_again_replaces_events_and_quarantine(log):
    first = json.loads(run(log, "--json").stdout)
    log.write_text("who,day,paid\na,2026-01-01,1\nb,2026-01-02,2\n")
    second = json.loads(run(log, "--json").stdout)
    assert second["dataset"]["digest"] == first["dataset"]["digest"]
    assert second["quarantine"] is None
    assert not (log.parent / "out" / "quarantine.parquet").exists()


def test_a_mapping_that_does_not_fit_leaves_what_was_there(log):
    run(log)
    digest = open_events(log.parent / "out").digest
    (log.parent / "wrong.yaml").write_text(MAPPING.replace("paid", "price"))
    result = run(log, mapping="wrong.yaml")
    assert isinstance(result.exception, MappingError)
    assert "no such column: got 'price'; wanted a column of the log: who, day, paid" in str(result.exception)
    assert open_events(log.parent / "out").digest == digest


def test_a_folder_of_something_else_is_left_alone(log):
    (log.parent / "out").mkdir()
    (log.parent / "out" / "letters.txt").write_text("dear")
    assert isinstance(run(log).exception, EventError)
    assert (log.parent / "out" / "letters.txt").read_text() == "dear"


def test_buckets_have_a_range(log):
    result = run(log, "--buckets", "0")
    assert result.exit_code == 2
    assert "buckets" in result.stderr


ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
GUIDE = (ROOT / "docs" / "how-to" / "importing-a-log.md").read_text()


def plain(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    re.findall(r"^\$ tactful events (import .*)\n((?s:.*?))^```$", GUIDE, re.MULTILINE),
    ids=lambda text: text.split()[1] if text.startswith("import") else "",
)
def test_the_guide_shows_what_the_command_prints(tmp_path, monkeypatch, arguments, printed):
    if not (ROOT / shlex.split(arguments)[1]).exists():
        pytest.skip(f"{shlex.split(arguments)[1]} is not there")
    (tmp_path / "shared").symlink_to(SHARED)
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path / "repository")
    result = CliRunner().invoke(events_app, shlex.split(arguments))
    assert plain(result.stdout) == plain(printed)


@pytest.mark.parametrize("file", sorted((ROOT / "docs/how-to/mappings").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_guide_shows_the_mappings(file):
    text = "".join(line for line in file.read_text().splitlines(keepends=True) if not line.startswith("#"))
    assert f"```yaml\n{text}```" in GUIDE


def test_refused_messages_are_listed(tmp_path: Path) -> None:
    assert "No message was refused." in tactful("events", "refused", "--data", str(tmp_path)).output
    store = open_store(Settings.of(tmp_path).store)
    moment = datetime(2026, 5, 6, 12, tzinfo=UTC)
    refused.add(store.database, "default", {Refused("unmapped", "track Button Pressed", "", "k1"): 3}, moment)
    store.close()
    listed = json.loads(tactful("events", "refused", "--data", str(tmp_path), "--json").stdout)["refused"]
    kind = {"fate": "unmapped", "name": "track Button Pressed", "reason": "", "key": "k1", "count": 3}
    assert listed == [{**kind, "first": moment.isoformat(), "last": moment.isoformat()}]
    assert "Button Pressed" in tactful("events", "refused", "--data", str(tmp_path)).output
