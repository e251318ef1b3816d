"""Templates and members write what the encoder writes."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base import canonical_json as canonical
from tactful.decisions.base.exclusion import Exclusion
from tests.decisions.golden import SNAPSHOTS, decision

TEXTS = st.text()
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


@given(TEXTS, TEXTS, TEXTS, TEXTS, MOMENTS)
def test_an_exclusion_is_written_as_the_encoder_writes_it(
    gate: str, rule: str, observed: str, limit: str, until: datetime | None
) -> None:
    exclusion = Exclusion(gate, rule, observed, limit, until)
    moment = until.isoformat() if until else None
    fields = {"gate": gate, "rule": rule, "observed": observed, "limit": limit, "until": moment}
    assert exclusion.as_json() == canonical.of(fields)
    assert exclusion.as_dict() == fields


@given(st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_as_the_encoder_writes_it(value: float | None) -> None:
    assert canonical.number(value) == json.dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        canonical.number(value)


@pytest.mark.parametrize("case", SNAPSHOTS)
def test_a_record_is_written_as_the_encoder_writes_it(case: str) -> None:
    made = decision(case)
    assert made.as_bytes().decode() == canonical.of(made.as_dict())


@given(st.dictionaries(TEXTS, TEXTS))
def test_members_are_written_as_the_encoder_writes_them(values: dict[str, str]) -> None:
    assert canonical.members({name: canonical.of(value) for name, value in values.items()}) == canonical.of(values)
