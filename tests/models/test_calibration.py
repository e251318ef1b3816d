import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tactful.models.base.calibration import KINDS, Beta, Identity, Platt, from_json, to_json
from tactful.models.base.errors import ModelError

WEIGHT = st.floats(0, 5)
SHIFT = st.floats(-5, 5)
MAPS = st.one_of(st.just(Identity()), st.builds(Platt, WEIGHT, SHIFT), st.builds(Beta, WEIGHT, WEIGHT, SHIFT))
PROBABILITIES = arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 1))


@given(MAPS, PROBABILITIES)
def test_maps_are_monotone_and_give_probabilities(calibration: Identity | Platt | Beta, p: np.ndarray) -> None:
    mapped = calibration.apply(np.sort(p))
    assert np.all((mapped >= 0) & (mapped <= 1))
    assert np.all(np.diff(mapped) >= -1e-12)


@given(MAPS, PROBABILITIES)
def test_a_probability_gets_the_same_bits_alone_and_among_others(
    calibration: Identity | Platt | Beta, p: np.ndarray
) -> None:
    alone = np.concatenate([calibration.apply(p[i : i + 1]) for i in range(len(p))])
    assert calibration.apply(p).tobytes() == alone.tobytes()


@given(MAPS)
def test_json_keeps_them(calibration: Identity | Platt | Beta) -> None:
    assert from_json(to_json(calibration)) == calibration


@pytest.mark.parametrize("values", [{"kind": "isotonic"}, {"kind": "platt", "slope": 1.0}, {}])
def test_another_map_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="unknown calibration"):
        from_json(values)


@pytest.mark.parametrize("truth", [Platt(0.6, -0.4), Platt(1.8, 0.5), Beta(0.5, 1.4, -0.3)])
@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_a_fit_finds_the_map_that_made_the_data(truth: Platt | Beta, kind: str) -> None:
    generator = np.random.default_rng(1)
    said = generator.beta(1, 3, 200_000)
    happened = generator.random(len(said)) < truth.apply(said)
    fitted = KINDS[kind].fit(said, happened).apply(np.linspace(0.02, 0.9, 30))
    tolerance = 0.02 if kind == "beta" or isinstance(truth, Platt) else 0.12
    assert np.abs(fitted - truth.apply(np.linspace(0.02, 0.9, 30))).max() < tolerance


def test_weights_stay_monotone_where_the_data_say_otherwise() -> None:
    said = np.linspace(0.1, 0.9, 400)
    happened = said < 0.5
    assert Platt.fit(said, happened).slope == 0.0
    beta = Beta.fit(said, happened)
    assert (beta.low, beta.high) == (0.0, 0.0)


def test_a_fit_survives_outcomes_that_never_vary() -> None:
    said = np.linspace(0.1, 0.9, 50)
    assert np.all(Platt.fit(said, np.ones(50, dtype=np.bool_)).apply(said) > 0.9)
