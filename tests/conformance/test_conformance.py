"""The catalogues we ship keep every promise, and so does a shop with one of each kind of rule."""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tactful import decisions
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.conformance.conform import conform
from tactful.decisions.loading import inspect_catalogue, parse_catalogue
from tactful.features.definitions.standard import STANDARD
from tests.conformance.shop import CATALOGUE, SHOP, VOCABULARY, outcomes

SHIPPED = sorted((Path(decisions.__file__).parent / "examples").glob("*.yaml"))


def vocabulary(text: str) -> Vocabulary:
    """The standard features, a lapse score, and a response model that knows the offers the catalogue makes."""
    values = defaultdict(set)
    for programme in yaml.safe_load(text)["programmes"]:
        for message in programme["messages"]:
            for name, value in message.get("offer", {}).items():
                values[name].add(value)
    offers = {n: tuple(sorted(v)) if all(isinstance(x, str) for x in v) else None for n, v in values.items()}
    return Vocabulary(STANDARD.names, scores=("lapse",), offers=offers)


def shipped(path: Path) -> CompiledCatalogue:
    text = path.read_text(encoding="utf-8")
    return parse_catalogue(text, vocabulary(text))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_catalogue_we_ship_keeps_its_promises_to_every_programme(path: Path) -> None:
    checks = conform(shipped(path))
    assert [check for check in checks if check.outcome == "failed"] == []
    passed = {(check.name, check.subject) for check in checks if check.outcome == "passed"}
    for programme in shipped(path).catalogue.programmes:
        assert {("unreadable ledger", programme.id), ("delivered twice", programme.id)} <= passed


def test_a_shop_of_every_kind_keeps_every_promise() -> None:
    checks = outcomes()
    assert {check.outcome for check in checks.values()} == {"passed"}
    assert {name for name, _ in checks} == {
        "rolling window",
        "edge of the window",
        "clock changes",
        "local days",
        "missing zone",
        "edge of the opening",
        "29 February",
        "local date",
        "edge of re-entry",
        "late joiner",
        "delivered twice",
        "unreadable ledger",
        "equal priorities",
        "no consent",
    }


def test_it_is_the_same_every_time() -> None:
    assert outcomes() == outcomes()


def test_what_can_be_shown_on_nobody_is_not_passed() -> None:
    nobody = CATALOGUE.replace("segment.rich, key", "segment.rich && features.spend < 0.0, key")
    checks = outcomes(parse_catalogue(nobody, VOCABULARY))
    assert checks["unreadable ledger", "level"].outcome == "not applicable"


def test_a_zone_is_looked_at_even_where_the_catalogue_names_none() -> None:
    checks = outcomes(parse_catalogue(CATALOGUE.replace("timezone: America/New_York\n", ""), VOCABULARY))
    assert checks["clock changes", "night"].outcome == "passed"


def test_the_marketers_order_leaves_no_tie() -> None:
    ordered = CATALOGUE.replace("{kind: inverse_gap, gamma: 5}", "{kind: priority_list}")
    checks = outcomes(parse_catalogue(ordered, VOCABULARY))
    assert checks["equal priorities", "thanks"].outcome == "not applicable"


def test_the_shop_has_no_lints() -> None:
    assert inspect_catalogue(CATALOGUE, VOCABULARY, "shop.yaml")[1] == []
    assert SHOP.catalogue.catalogue == "everything"
