"""The guide on experiments: its file loads, and its tables are what the code says."""

import re
from pathlib import Path
from typing import get_args

from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.decisions.loading import load_catalogue
from tactful.experiments.base.metrics import METRICS
from tactful.experiments.design.declaration import AnyArm
from tactful.experiments.design.loading import parse_plan
from tactful.features.definitions.standard import STANDARD

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/how-to/experiments.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    table = GUIDE[GUIDE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_its_file_loads() -> None:
    text = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert text is not None
    retail = load_catalogue(ROOT / "decisions/examples/retail.yaml", Vocabulary(STANDARD.names, ("lapse",)))
    plan = parse_plan(text[1], retail.catalogue)
    assert plan.experiment("chance").population == "at_risk"


def test_every_kind_of_arm_is_told() -> None:
    kinds = [get_args(arm.model_fields["kind"].annotation)[0] for arm in get_args(get_args(AnyArm)[0])]
    assert [row[0].strip("`") for row in rows("| arm | what it does |")] == kinds


def test_every_metric_is_defined_as_in_the_code() -> None:
    told = [[cell.strip("`") for cell in row] for row in rows("| metric | unit | what it is |")]
    assert told == [[metric.name, metric.unit, metric.meaning] for metric in METRICS.values()]
