"""Reads a file of experiments and reports every mistake at once, with its line."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import yaml
from pydantic import ValidationError

from tactful.decisions.base.assignment import Range
from tactful.decisions.base.errors import Finding
from tactful.decisions.base.yaml_text import Place, is_consequence, line_of, read, sentence
from tactful.decisions.catalogue.checks import PlacedFinding
from tactful.decisions.catalogue.model import Catalogue
from tactful.experiments.base.errors import DeclarationError, ExperimentError
from tactful.experiments.design.declaration import (
    Experiment,
    OneMessage,
    OtherBundle,
    OtherCatalogue,
    OtherPolicy,
    Plan,
    RandomEligible,
    Without,
)

_REPLACES = (OtherPolicy, OtherCatalogue, OtherBundle, OneMessage, RandomEligible)
_ALWAYS = datetime.max.replace(tzinfo=UTC)


def load_plan(path: Path, catalogue: Catalogue) -> Plan:
    """Reads the experiments of a catalogue.

    Args:
        path: A YAML file.
        catalogue: The catalogue with its segments, programmes and messages.

    Raises:
        DeclarationError: With every mistake found, each with file and line.
        ExperimentError: There is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExperimentError("cannot read the experiments", got=str(error), wanted="a YAML file") from error
    return parse_plan(text, catalogue, file=str(path))


def parse_plan(text: str, catalogue: Catalogue, file: str = "experiments.yaml") -> Plan:
    """As `load_plan`, from a text.

    Args:
        text: YAML.
        catalogue: The catalogue with its segments, programmes and messages.
        file: The name findings give the text.

    Raises:
        DeclarationError: With every mistake found, each with file and line.
    """
    try:
        content, lines = read(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DeclarationError([Finding(file, line, "error", f"not YAML: {error.problem}")]) from None
    if not isinstance(content, dict):
        raise DeclarationError([Finding(file, 1, "error", "no experiments", "start with `experiments:`")])

    def placed(place: Place, message: str, mend: str = "") -> Finding:
        return Finding(file, line_of(lines, place), "error", message, mend)

    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        mistakes = [mistake for mistake in error.errors() if not is_consequence(mistake)]
        findings = [placed(mistake["loc"], sentence(mistake, content, "experiments", Plan)) for mistake in mistakes]
        raise DeclarationError(sorted(findings, key=lambda finding: finding.line)) from None
    remarks = [placed(remark.place, remark.message, remark.mend) for remark in check(plan, catalogue)]
    if remarks:
        raise DeclarationError(sorted(remarks, key=lambda finding: finding.line))
    return plan


def check(plan: Plan, catalogue: Catalogue) -> Iterator[PlacedFinding]:
    """The mistakes between the parts of a plan, and between it and its catalogue."""
    yield from _repeated(plan)
    yield from _unknown(plan, catalogue)
    for (_, one), (j, two) in combinations(enumerate(plan.experiments), 2):
        if _together(one, two):
            yield from _crowded(one, j, two)


def with_moment(text: str, experiment: str, field: str, moment: datetime) -> str:
    r"""The file with an experiment's `start` or `stop` written in, and nothing else touched.

    Args:
        text: The file.
        experiment: Id of the experiment.
        field: `start` or `stop`.
        moment: When.

    Raises:
        ExperimentError: The experiment has the field already, or is written in one line.

    Example:
        >>> print(with_moment("experiments:\n  - id: a\n    salt: b\n", "a", "start", datetime(2026, 5, 4, tzinfo=UTC)))
        experiments:
          - id: a
            start: 2026-05-04T00:00:00+00:00
            salt: b
        <BLANKLINE>
    """
    content, lines = read(text)
    position = [one["id"] for one in content["experiments"]].index(experiment)
    if field in content["experiments"][position]:
        present = content["experiments"][position][field]
        raise ExperimentError(f"{experiment} has its {field}", got=present, wanted=f"an experiment without {field}")
    rows = text.splitlines(keepends=True)
    line = lines["experiments", position, "id"]
    key = re.match(r"^([\s-]*)id\s*:", rows[line - 1])
    if key is None:
        raise ExperimentError("an experiment in one line", got=rows[line - 1].strip(), wanted="one line a field")
    rows.insert(line, f"{' ' * len(key[1])}{field}: {moment.isoformat()}\n")
    return "".join(rows)


def _repeated(plan: Plan) -> Iterator[PlacedFinding]:
    seen: set[str] = set()
    for i, experiment in enumerate(plan.experiments):
        if experiment.id in seen:
            yield PlacedFinding(
                ("experiments", i, "id"), f"experiment {experiment.id!r} stands twice", "give each its own id"
            )
        seen.add(experiment.id)
    salts: set[str] = set()
    for place, salt in plan.salts():
        if salt in salts:
            yield PlacedFinding(
                tuple(place), f"salt {salt!r} stands twice", "one salt draws the same customers: take another"
            )
        salts.add(salt)


def _unknown(plan: Plan, catalogue: Catalogue) -> Iterator[PlacedFinding]:
    programmes = [programme.id for programme in catalogue.programmes]
    messages = [message.id for programme in catalogue.programmes for message in programme.messages]

    def missing(place: Place, kind: str, name: str | None, known: list[str]) -> Iterator[PlacedFinding]:
        if name is not None and name not in known:
            yield PlacedFinding(
                place, f"unknown {kind} {name!r}", f"known: {', '.join(known)}" if known else f"declare a {kind}"
            )

    for i, held in enumerate(plan.holdbacks):
        yield from missing(("holdbacks", i, "programme"), "programme", held.programme, programmes)
        yield from missing(("holdbacks", i, "message"), "message", held.message, messages)
    for i, experiment in enumerate(plan.experiments):
        place: Place = ("experiments", i)
        yield from missing((*place, "population"), "segment", experiment.population, list(catalogue.segments))
        yield from missing((*place, "layer"), "layer", experiment.layer, list(plan.layers))
        for j, arm in enumerate(experiment.arms):
            inner = (*place, "arms", j)
            if isinstance(arm, OneMessage):
                yield from missing((*inner, "message"), "message", arm.message, messages)
            if isinstance(arm, Without):
                for name in arm.programmes:
                    yield from missing((*inner, "programmes"), "programme", name, programmes)
                for name in arm.messages:
                    yield from missing((*inner, "messages"), "message", name, messages)


def _together(one: Experiment, two: Experiment) -> bool:
    """Whether some customer may be in both at one moment."""
    apart = one.layer is not None and one.layer == two.layer and not Range(*one.space).meets(Range(*two.space))
    ends = (one.stop or _ALWAYS, two.stop or _ALWAYS)
    return not apart and all(
        a.start is None or a.start < end for a, end in zip((one, two), reversed(ends), strict=True)
    )


def _crowded(one: Experiment, j: int, two: Experiment) -> Iterator[PlacedFinding]:
    """Two experiments that one customer may be in, where they must not be."""
    place: Place = ("experiments", j)
    if one.layer is not None and one.layer == two.layer:
        spaces = f"{list(one.space)} and {list(two.space)}"
        yield PlacedFinding(
            (*place, "space"), f"{one.id} and {two.id} overlap in layer {one.layer!r}: {spaces}", "take disjoint parts"
        )
    elif all(any(isinstance(arm, _REPLACES) for arm in experiment.arms) for experiment in (one, two)):
        yield PlacedFinding(
            (*place, "arms"),
            f"{two.id} and {one.id} both replace how it is chosen for the same customers",
            "put them into one layer, with disjoint parts of it",
        )
