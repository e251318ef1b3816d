"""The Helm chart, as it comes out for several values, against the schemas of Kubernetes.

Helm itself is in no package registry of Python. The templates are run by Go's template engine with the
functions of Sprig, as Helm runs them; what Helm alone knows (`include`, `lookup`) is not used.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tactful.serving.settings import Settings

pytest.importorskip("go_template", reason="Go's templates are built for Linux on x86-64 alone")
ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "tactful"
ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
LEAST: dict[str, Any] = {"catalogue": 'catalogue: "shop"\nname: Zoë: {{ no template }}\n'}
MOST: dict[str, Any] = {
    **LEAST,
    "image": {**DEFAULTS["image"], "digest": f"sha256:{'0' * 64}"},
    "secretSettings": "tactful-settings",  # pragma: allowlist secret - its name
    "settings": {"TACTFUL_WORKERS": "2", "TACTFUL_ORIGINS": '["https://shop.example"]'},
    "bundles": {"claim": "bundles"},
    "callers": [{"podSelector": {"matchLabels": {"app": "shop"}}}],
}
VALUES = pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])


RENDER = """
import json, pathlib, sys
import go_template
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    print("---", go_template.render(file, json.loads(sys.argv[2])).decode(), sep="\\n")
"""
"""Run by a process of its own: where a template asks for a value that is missing, the library ends its process."""


def render(values: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    chart = {"Name": ABOUT["name"], "AppVersion": ABOUT["appVersion"]}
    about = {"Values": values, "Release": {"Name": "shop"}, "Chart": chart}
    command = [sys.executable, "-c", RENDER, str(CHART / "templates"), json.dumps(about)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The chart's objects, by kind."""
    values = {**DEFAULTS, **given}
    jsonschema.validate(values, SCHEMA)
    told = render(values)
    assert told.returncode == 0, told.stderr
    return {found["kind"]: found for found in yaml.safe_load_all(told.stdout) if found}


@VALUES
@pytest.mark.parametrize("version", ["1.29", "1.34"])
def test_every_object_is_one_that_kubernetes_takes(given: dict[str, Any], version: str) -> None:
    objects = rendered(given)
    wanted = {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"}
    assert set(objects) == (wanted | {"NetworkPolicy"} if given is MOST else wanted)
    for found in objects.values():
        kubernetes_validate.validate(found, version, strict=True)


@VALUES
def test_the_catalogue_arrives_as_it_was_given(given: dict[str, Any]) -> None:
    assert rendered(given)["ConfigMap"]["data"] == {"catalogue.yaml": LEAST["catalogue"]}


def test_a_catalogue_is_asked_for() -> None:
    told = render(DEFAULTS)
    assert told.returncode != 0
    assert "a catalogue is wanted" in told.stdout + told.stderr


@VALUES
def test_a_pod_may_do_nothing_but_serve(given: dict[str, Any]) -> None:
    pod = rendered(given)["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert [str(pod["securityContext"]["runAsUser"])] == user
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@VALUES
def test_a_pod_has_settings_that_exist_and_time_to_stop(given: dict[str, Any]) -> None:
    pod = rendered(given)["Deployment"]["spec"]["template"]["spec"]
    names = {setting["name"] for setting in pod["containers"][0]["env"]}
    assert names <= {f"TACTFUL_{name.upper()}" for name in Settings.model_fields}
    assert pod["terminationGracePeriodSeconds"] > Settings.model_fields["grace"].default.total_seconds()


def test_the_chart_is_of_this_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert ABOUT["apiVersion"] == "v2"
    assert ABOUT["appVersion"] == DEFAULTS["image"]["tag"] == project


@pytest.mark.parametrize("wrong", [{"replicas": 0}, {"settings": {"PATH": "/"}}, {"unheard": 1}])
def test_values_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        rendered({**LEAST, **wrong})
