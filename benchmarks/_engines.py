"""The same features in DuckDB, Polars and pandas, each written from the definitions as its manual advises.

Filters and aggregations are translated one by one, not tuned by hand to the set; days are days of UTC. Each
function reads the Parquet files of a data set and returns one row a customer with an event before the moment.
"""

from collections import defaultdict
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet, Ratio, Where
from tactful.features.kernel.program import columns_read
from tactful.features.timestamps import DAY
from tactful.features.vocabulary import EVENT_TYPES

A = Aggregation


def files(folder: Path) -> str:
    """The Parquet files of a data set, as a pattern."""
    return str(folder / "*" / "events.parquet")


def columns(features: FeatureSet) -> list[str]:
    """The columns every engine reads."""
    return ["customer_id", "time", *sorted(columns_read(features))]


def codes(where: Where) -> list[int]:
    """The codes of the event types a filter admits."""
    return [EVENT_TYPES.index(name) for name in where.types]


def begin(feature: Feature, as_of: int) -> int | None:
    """The first microsecond of a window."""
    return None if feature.window_days is None else as_of - round(feature.window_days * DAY)


def duckdb_features(folder: Path, as_of: int, features: FeatureSet) -> Any:
    """DuckDB: one SELECT with FILTER clauses."""
    import duckdb

    select = ", ".join(f"{_sql(feature, as_of)} AS {feature.name}" for feature in features.features)
    events = f"SELECT *, epoch_us(time) AS us, epoch_us(time) // {DAY} AS day FROM read_parquet('{files(folder)}')"  # nosec B608 # our own columns
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        query = f"SELECT customer_id, {select} FROM ({events}) WHERE us < {as_of} GROUP BY customer_id"  # nosec B608 # our own columns
        return connection.sql(query).to_arrow_table()


def _sql(feature: Any, as_of: int) -> str:
    if isinstance(feature, Ratio):
        return f"{feature.numerator} / nullif({feature.denominator}, 0)"
    since = begin(feature, as_of)
    where = feature.where
    conditions = [
        f"type IN ({', '.join(map(str, codes(where)))})" if where.types else "",
        f"us >= {since}" if since is not None else "",
        f"(day + 3) % 7 IN {where.weekdays}" if where.weekdays else "",
        "discount > 0" if where.discounted else "",
    ]
    only = f"FILTER (WHERE {' AND '.join(filter(None, conditions))})"
    column = feature.column
    return {
        A.COUNT: f"count(*) {only}",
        A.SUM: f"coalesce(sum({column}) {only}, 0)",
        A.MEAN: f"avg({column}) {only}",
        A.MAX: f"max({column}) {only}",
        A.STD: f"stddev_samp({column}) {only}",
        A.DISTINCT_DAYS: f"count(DISTINCT day) {only}",
        A.DISTINCT_CATEGORIES: f"coalesce(bit_count(bit_or(categories) {only}), 0)",
        A.DAYS_SINCE_LAST: f"({as_of} - max(us) {only}) / {DAY}",
        A.DAYS_SINCE_FIRST: f"({as_of} - min(us) {only}) / {DAY}",
        A.MEAN_GAP_DAYS: f"(max(day) {only} - min(day) {only}) / nullif(count(DISTINCT day) {only} - 1, 0)",
    }[feature.aggregation]


def polars_features(folder: Path, as_of: int, features: FeatureSet) -> Any:
    """Polars: one lazy group_by on the streaming engine."""
    import polars as pl

    events = pl.scan_parquet(files(folder)).select(columns(features))
    events = events.with_columns(us=pl.col("time").to_physical()).with_columns(day=pl.col("us") // DAY)
    aggregates = [_polars(f, as_of).alias(f.name) for f in features.features if isinstance(f, Feature)]
    ratios = [f for f in features.features if isinstance(f, Ratio)]
    grouped = events.filter(pl.col("us") < as_of).group_by("customer_id").agg(aggregates)
    for ratio in ratios:
        below = pl.col(ratio.denominator)
        grouped = grouped.with_columns(pl.when(below != 0).then(pl.col(ratio.numerator) / below).alias(ratio.name))
    return grouped.select("customer_id", *features.names).collect(engine="streaming")


def _polars(feature: Feature, as_of: int) -> Any:
    import polars as pl

    since = begin(feature, as_of)
    where = feature.where
    conditions = [
        pl.col("type").is_in(codes(where)),
        *([pl.col("us") >= since] if since is not None else []),
        *([((pl.col("day") + 3) % 7).is_in(where.weekdays)] if where.weekdays else []),
        *([pl.col("discount") > 0] if where.discounted else []),
    ]
    only = reduce(lambda one, other: one & other, conditions)
    us, day = pl.col("us").filter(only), pl.col("day").filter(only)
    match feature.aggregation:
        case A.COUNT:
            return only.sum()
        case A.SUM:
            return pl.col(feature.column).filter(only).sum()
        case A.MEAN:
            return pl.col(feature.column).filter(only).mean()
        case A.MAX:
            return pl.col(feature.column).filter(only).max()
        case A.STD:
            return pl.col(feature.column).filter(only).std()
        case A.DISTINCT_DAYS:
            return day.n_unique()
        case A.DISTINCT_CATEGORIES:
            return pl.col("categories").filter(only & (pl.col("categories") > 0)).n_unique()
        case A.DAYS_SINCE_LAST:
            return (as_of - us.max()) / DAY
        case A.DAYS_SINCE_FIRST:
            return (as_of - us.min()) / DAY
        case A.MEAN_GAP_DAYS:
            gaps = day.n_unique().cast(pl.Int64) - 1
            return pl.when(gaps > 0).then((day.max() - day.min()) / gaps)
    raise ValueError(feature.aggregation)


def pandas_features(folder: Path, as_of: int, features: FeatureSet) -> Any:
    """pandas: the log read once, a groupby for each filter and window."""
    import pandas as pd
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    parts = ds.dataset(folder, format="parquet", partitioning=None, exclude_invalid_files=True).files
    table = pq.ParquetDataset(sorted(parts), read_dictionary=["customer_id"]).read(columns=columns(features))
    events = table.unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
    del table
    events["us"] = events.pop("time").astype("int64")
    events = events[events["us"] < as_of]
    events["day"] = (events["us"] // DAY).astype("int32")
    values = pd.DataFrame(index=events["customer_id"].unique())
    for (where, since), group in _by_window(features, as_of).items():
        _pandas(events, where, since, group, as_of, values)
    for ratio in (f for f in features.features if isinstance(f, Ratio)):
        below = values[ratio.denominator]
        values[ratio.name] = values[ratio.numerator] / below.where(below != 0)
    return values[list(features.names)].rename_axis("customer_id").reset_index()


def _by_window(features: FeatureSet, as_of: int) -> dict[tuple[Where, int | None], list[Feature]]:
    groups: dict[tuple[Where, int | None], list[Feature]] = defaultdict(list)
    for feature in features.features:
        if isinstance(feature, Feature):
            groups[feature.where, begin(feature, as_of)].append(feature)
    return groups


def _pandas(events: Any, where: Where, since: int | None, group: list[Feature], as_of: int, values: Any) -> None:
    keep = events["type"].isin(codes(where))
    if since is not None:
        keep &= events["us"] >= since
    if where.weekdays:
        keep &= ((events["day"] + 3) % 7).isin(where.weekdays)
    if where.discounted:
        keep &= events["discount"] > 0
    by = events[keep].groupby("customer_id", observed=True, sort=False)
    for feature in group:
        aggregate = _of_group(feature, by, as_of).reindex(values.index)
        zero = feature.aggregation in (A.COUNT, A.SUM, A.DISTINCT_DAYS, A.DISTINCT_CATEGORIES)
        values[feature.name] = aggregate.fillna(0) if zero else aggregate


def _of_group(feature: Feature, by: Any, as_of: int) -> Any:
    match feature.aggregation:
        case A.COUNT:
            return by.size()
        case A.DISTINCT_DAYS:
            return by["day"].nunique()
        case A.DISTINCT_CATEGORIES:
            return by["categories"].nunique()
        case A.DAYS_SINCE_LAST:
            return (as_of - by["us"].max()) / DAY
        case A.DAYS_SINCE_FIRST:
            return (as_of - by["us"].min()) / DAY
        case A.MEAN_GAP_DAYS:
            gaps = by["day"].nunique() - 1
            return (by["day"].max() - by["day"].min()) / gaps.where(gaps > 0, np.nan)
    return getattr(by[feature.column], feature.aggregation.value)()
