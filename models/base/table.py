"""A table of numbers and categories as a matrix for linear models: bounded, centred, complete."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError

_LEAST_SHARE = 0.01
_LEAST_ROWS = 10
_INDICATOR_SCALE = 0.5
_LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Number:
    """A column of numbers.

    Attributes:
        name: Its name.
        low: Values below count as this: the first percentile at the fit.
        high: Values above count as this: the 99th.
        mean: Of the bounded values; a missing value counts as this.
        scale: Their standard deviation; 1 for a constant.
        missing: Share of missing values at the fit, which get an indicator of their own; 0 for none.
    """

    name: str
    low: float
    high: float
    mean: float
    scale: float
    missing: float

    @classmethod
    def fit(cls, name: str, values: Floats) -> Self:
        """Learns bounds, centre and scale.

        Raises:
            ModelError: Finite values so large that their squares are not.
        """
        known = values[~np.isnan(values)]
        finite = known[np.isfinite(known)]
        if not len(finite):
            return cls(name, 0.0, 0.0, 0.0, 1.0, 0.0)
        if (largest := float(np.abs(finite).max())) > _LARGEST:
            raise ModelError("values too large", got=largest, wanted=f"at most {_LARGEST:g}", where=name)
        low, high = np.quantile(finite, [0.01, 0.99])
        if low == high:
            low, high = finite.min(), finite.max()
        bounded = np.clip(known, low, high)
        scale = float(bounded.std())
        return cls(
            name,
            float(low),
            float(high),
            float(bounded.mean()),
            scale if scale > 0 else 1.0,
            1 - len(known) / len(values),
        )

    @property
    def width(self) -> int:
        """Columns of the matrix it becomes."""
        return 2 if self.missing else 1

    def encode(self, column: "pd.Series[Any]") -> Floats:
        """Shape (n, 1), or (n, 2) with an indicator of missing values."""
        values = _numbers(column)
        absent = np.isnan(values)
        bounded = np.clip(np.where(absent, self.mean, values), self.low, self.high)
        standard = (bounded - self.mean) / self.scale
        if not self.missing:
            return standard[:, None]
        return np.column_stack([standard, (absent - self.missing) / _INDICATOR_SCALE])


@dataclass(frozen=True, slots=True)
class Category:
    """A column of texts.

    Indicators are not divided by their own standard deviation, which would let a rare level weigh most.

    Attributes:
        name: Its name.
        levels: Levels with an indicator, those of 1 % of the rows and of ten rows at least; None is a missing value.
        shares: Share of each at the fit.
    """

    name: str
    levels: tuple[str | None, ...]
    shares: tuple[float, ...]

    @classmethod
    def fit(cls, name: str, column: "pd.Series[Any]") -> Self:
        """Learns the levels."""
        texts = _texts(column)
        counts = {level: int((texts == level).sum()) for level in sorted(set(texts) - {None})}
        counts[None] = len(texts) - sum(counts.values())
        least = max(_LEAST_ROWS, _LEAST_SHARE * len(texts))
        kept = {level: count / len(texts) for level, count in counts.items() if count >= least}
        return cls(name, tuple(kept), tuple(kept.values()))

    @property
    def width(self) -> int:
        """Columns of the matrix it becomes."""
        return len(self.levels)

    def encode(self, column: "pd.Series[Any]") -> Floats:
        """Shape (n, len(levels)); a row of an unknown level counts as the average row."""
        texts = _texts(column)
        found = np.array([texts == level for level in self.levels]).reshape(len(self.levels), len(texts)).T
        centred = (found - np.array(self.shares)) / _INDICATOR_SCALE
        return np.asarray(np.where(found.any(axis=1, keepdims=True), centred, 0.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Table:
    """How a table becomes a matrix; its columns may come in any order.

    Attributes:
        columns: Sorted by name.

    Example:
        >>> rows = pd.DataFrame({"spend": [10.0, None, 30.0] * 10, "tier": ["gold", "gold", "basic"] * 10})
        >>> Table.fit(rows).encode(rows).shape
        (30, 4)
    """

    columns: tuple[Number | Category, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Self:
        """Learns the columns of a table.

        Args:
            frame: Numbers, booleans, texts and categories; missing values may occur.

        Raises:
            ModelError: No table, two columns of a name, or a column of another kind or of values too large.
        """
        _check_frame(frame)
        columns = [(name, frame[name]) for name in sorted(frame.columns)]
        return cls(
            tuple(
                Number.fit(name, _numbers(column)) if types.is_numeric_dtype(column) else Category.fit(name, column)
                for name, column in columns
            )
        )

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return sum(column.width for column in self.columns)

    def encode(self, frame: pd.DataFrame) -> Floats:
        """The matrix, shape (n, k): centred at the rows of the fit, without missing values.

        Raises:
            ModelError: A column of the fit is absent, or holds values of another kind.
        """
        _check_frame(frame)
        absent = [column.name for column in self.columns if column.name not in frame.columns]
        if absent:
            raise ModelError("columns of the fit are absent", got=list(frame.columns), wanted=absent)
        parts = [column.encode(frame[column.name]) for column in self.columns]
        return np.hstack([np.empty((len(frame), 0)), *parts])

    def numbers(self) -> "Numbers":
        """The same for arrays: quick for a few rows.

        Raises:
            ModelError: A column holds texts.
        """
        texts = [column.name for column in self.columns if isinstance(column, Category)]
        if texts:
            raise ModelError("columns of texts", got=texts, wanted="numbers")
        return Numbers(tuple(column for column in self.columns if isinstance(column, Number)))

    def to_json(self) -> list[dict[str, Any]]:
        """Everything it learnt."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, columns: list[Mapping[str, Any]]) -> Self:
        """The inverse of `to_json`."""
        return cls(tuple(_column(values) for values in columns))


class Numbers:
    """Numbers as an array become the matrix that `Table.encode` makes of them as a table, bit for bit.

    Args:
        columns: In the order of the array's.
    """

    def __init__(self, columns: tuple[Number, ...]) -> None:
        self.names = tuple(column.name for column in columns)
        self._low, self._high, self._mean, self._scale, self._missing = (
            np.array([getattr(column, name) for column in columns], dtype=np.float64)
            for name in ("low", "high", "mean", "scale", "missing")
        )
        starts = np.cumsum([0, *[column.width for column in columns]], dtype=np.int64)
        self._values, self._width = starts[:-1], int(starts[-1])
        self._doubtful = np.flatnonzero(self._missing)

    def encode(self, rows: Floats) -> Floats:
        """Shape (n, len(names)) to shape (n, k)."""
        absent = np.isnan(rows)
        bounded = np.clip(np.where(absent, self._mean, rows), self._low, self._high)
        encoded = np.empty((len(rows), self._width))
        encoded[:, self._values] = (bounded - self._mean) / self._scale
        doubtful = self._doubtful
        encoded[:, self._values[doubtful] + 1] = (absent[:, doubtful] - self._missing[doubtful]) / _INDICATOR_SCALE
        return encoded


def _column(values: Mapping[str, Any]) -> Number | Category:
    if "levels" in values:
        return Category(values["name"], tuple(values["levels"]), tuple(values["shares"]))
    return Number(**values)


def _check_frame(frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise ModelError("rows without named columns", got=type(frame).__name__, wanted="a pandas DataFrame")
    if not all(isinstance(name, str) for name in frame.columns) or not frame.columns.is_unique:
        raise ModelError("unfit names of columns", got=list(frame.columns), wanted="texts, each once")


def _numbers(column: "pd.Series[Any]") -> Floats:
    if not (types.is_numeric_dtype(column) or column.isna().all()):
        raise ModelError("unfit column", got=column.dtype, wanted="numbers, as at the fit", where=column.name)
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _texts(column: "pd.Series[Any]") -> NDArray[np.object_]:
    if types.is_datetime64_any_dtype(column) or types.is_timedelta64_dtype(column) or types.is_complex_dtype(column):
        raise ModelError("unfit column", got=column.dtype, wanted="numbers or texts", where=column.name)
    return np.array(
        [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)], object
    )
