"""Proofs by many simulated runs: short in every run of the tests, long behind `make soak`."""

from typing import Any

import pytest


def runs(short: int, long: int) -> list[Any]:
    """Numbers of runs as parameters of a test or a fixture: a few in `make test`, many in `make soak`."""
    return [short, pytest.param(long, marks=pytest.mark.soak)]


def covered(count: int, level: float = 0.95) -> tuple[float, float]:
    """The shares of intervals that may hold the truth: the level, with three binomial errors or 0.02."""
    room = max(0.02, 3 * (level * (1 - level) / count) ** 0.5)
    return level - room, level + room
