"""One battery of checks for every family of models: whatever it learns, it must bear what real tables bring."""

import copy
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tests.models.battery import FAMILIES, Family

every = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
LATER = 1
"""Seed of rows that no model was fitted to."""


@cache
def fitted(family: Family) -> Any:
    return family.fit(family.rows())


@every
def test_fitting_again_gives_the_same_scores(family: Family) -> None:
    later = family.rows(LATER)
    assert family.score(family.fit(family.rows()), later).tobytes() == family.score(fitted(family), later).tobytes()


@every
@pytest.mark.parametrize("cloned", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_clone_gives_the_same_scores(family: Family, cloned: Any) -> None:
    later = family.rows(LATER)
    assert family.score(cloned(fitted(family)), later).tobytes() == family.score(fitted(family), later).tobytes()


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.kept], ids=lambda family: family.name)
def test_what_is_kept_and_read_again_gives_the_same_scores(family: Family, tmp_path: Path) -> None:
    assert family.kept is not None
    later = family.rows(LATER)
    kept = family.kept(fitted(family), tmp_path)
    assert family.score(kept, later).tobytes() == family.score(fitted(family), later).tobytes()


@every
def test_a_row_alone_scores_as_among_others(family: Family) -> None:
    later = family.rows(LATER).head(50)
    alone = np.concatenate([family.score(fitted(family), later.iloc[i : i + 1]) for i in range(len(later))])
    assert alone.tobytes() == family.score(fitted(family), later).tobytes()


@every
def test_columns_in_another_order_are_learnt_as_well(family: Family) -> None:
    rows, later = family.rows(), family.rows(LATER)
    shuffled = family.score(family.fit(rows[list(family.columns[::-1])]), later)
    assert np.corrcoef(shuffled, family.score(fitted(family), later))[0, 1] >= family.agreement


@every
def test_a_constant_column_is_borne(family: Family) -> None:
    rows = family.rows().assign(**{family.columns[2]: 20.0})
    assert np.isfinite(family.score(family.fit(rows), family.rows(LATER))).all()


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.missing], ids=lambda family: family.name)
def test_what_is_missing_is_borne(family: Family) -> None:
    model, later = fitted(family), family.rows(LATER)
    for name in family.missing:
        assert np.isfinite(family.score(model, later.assign(**{name: np.nan}))).all()
    assert np.isfinite(family.score(model, later.assign(**dict.fromkeys(family.missing, np.nan)))).all()


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.unknown], ids=lambda family: family.name)
def test_what_is_unknown_has_no_score_and_no_fit(family: Family) -> None:
    model, later = fitted(family), family.rows(LATER)
    known = family.score(model, later)
    absent = np.arange(len(later)) % 7 == 0
    for name in family.unknown:
        lacking = later.assign(**{name: later[name].mask(absent)})
        scored = family.score(model, lacking)
        assert np.isnan(scored[absent]).all()
        assert scored[~absent].tobytes() == known[~absent].tobytes()
        with pytest.raises(ModelError, match="unknown"):
            family.fit(lacking)


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.category], ids=lambda family: family.name)
def test_a_category_never_seen_is_a_missing_one(family: Family) -> None:
    model, later = fitted(family), family.rows(LATER)
    unseen = family.score(model, later.assign(**{family.category: "never seen"}))
    assert np.isfinite(unseen).all()
    assert unseen.tobytes() == family.score(model, later.assign(**{family.category: None})).tobytes()
