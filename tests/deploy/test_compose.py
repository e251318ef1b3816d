"""What Docker Compose starts: its own schema, the least rights, and figures that the service has."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tactful.serving.telemetry.metrics import METRICS

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
FILE = COMPOSE / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
FIGURES = [COMPOSE / "prometheus" / "alerts.yml", COMPOSE / "grafana" / "dashboards" / "tactful.json"]


def test_the_file_is_one_that_compose_takes() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_the_least_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_no_password_stands_in_the_file_and_each_one_is_asked_for() -> None:
    words = re.findall(r"\w*PASSWORD: \"(.+)\"$", FILE.read_text(), re.MULTILINE)
    assert len(words) == 2
    assert [word for word in words if not re.fullmatch(r"\$\{\w+:\?.+\}", word)] == []


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if v.startswith(".")]
    assert mounted
    assert [path for path in mounted if not (COMPOSE / path).is_dir()] == []


@pytest.mark.parametrize("file", FIGURES, ids=lambda file: file.name)
def test_alerts_and_panels_read_figures_that_the_service_has(file: Path) -> None:
    known = {family.name for metric in vars(METRICS).values() for family in metric.collect()}
    read = set(re.findall(r"\btactful_[a-z_]+", file.read_text()))
    assert read
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in read} <= known


def test_every_panel_asks_the_source_that_is_set_up() -> None:
    (source,) = yaml.safe_load((COMPOSE / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    board = json.loads(FIGURES[1].read_text())
    asked = {query["datasource"]["uid"] for panel in board["panels"] for query in panel["targets"]}
    assert asked == {source["uid"]}
