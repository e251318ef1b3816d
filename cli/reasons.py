"""The columns that moved a customer's scores, as tables."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tactful.cli.console import table

if TYPE_CHECKING:
    from rich.table import Table

    from tactful.serving.engine.queries.reasons import Explained


def tables(scores: "Iterable[Explained]") -> "Iterator[Table]":
    """A table for each score: what raised or lowered it, what the customer has there, and by what it moved the odds."""
    from tactful.serving.engine.queries.reasons import in_words

    for one in scores:
        rows = [
            ("raised" if reason.log_odds > 0 else "lowered", in_words(reason), f"× {reason.odds:.2f}")
            for reason in one.reasons
        ]
        yield table((f"{one.score} {one.value:.3f}", "by", "odds"), rows, numbers=("odds",))
