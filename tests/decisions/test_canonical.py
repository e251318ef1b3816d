"""Templates write what the encoder writes."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions import canonical
from decisions.exclusion import Exclusion

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
