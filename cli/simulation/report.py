"""The result of a simulation: a table, a plot over time on the terminal and as a picture, and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from tactful.cli.console import table
from tactful.experiments.world.simulation import Interval, Standing

_BARS = "▁▂▃▄▅▆▇█"


def standings_table(found: Sequence[Standing]) -> Table:
    """A row a policy."""
    headings = ("policy", "value", "of the gap", "over triggers", "unsubscribed", "contacts")
    rows = [
        (s.policy, f"{s.value:.2f}", _percent(s.share), _amount(s.beyond), f"{s.unsubscribed:.1%}", f"{s.contacts:.2f}")
        for s in found
    ]
    return table(headings, rows, numbers=headings[1:])


def over_time(found: Sequence[Standing]) -> Table:
    """Each policy's value over the first one's, week by week, all on one scale."""
    lines = np.array([s.weekly for s in found])
    lines = lines - lines[0]
    low, high = float(lines.min()), float(lines.max())
    steps = np.floor((lines - low) / max(high - low, 1e-9) * (len(_BARS) - 1e-9)).astype(int)
    rows = [
        (s.policy, "".join(_BARS[step] for step in row), f"{line[-1]:+.2f}")
        for s, row, line in zip(found, steps.tolist(), lines, strict=True)
    ]
    return table(("policy", "week by week", "at the end"), rows, title=f"Value over {found[0].policy}")


def draw(found: Sequence[Standing], path: Path, title: str) -> None:
    """The same as a picture, with bands for the intervals."""
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="week", ylabel=f"value a customer over {found[0].policy}, 95 %", title=title)
    weeks = np.arange(1, len(found[0].weekly) + 1)
    for standing in found:
        value, low, high = np.array([(week.value, week.low, week.high) for week in standing.ahead]).T
        (line,) = axes.plot(weeks, value, label=standing.policy, linewidth=2.5 if standing.policy == "tactful" else 1.2)
        axes.fill_between(weeks, low, high, color=line.get_color(), alpha=0.18, linewidth=0)
    axes.legend(loc="best", frameon=False, ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def as_dict(found: Sequence[Standing], setting: Mapping[str, Any], releases: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's values."""
    policies = {
        s.policy: {
            "value": s.value,
            "gap_closed": s.share.as_dict() if s.share else None,
            "over_triggers": s.beyond.as_dict() if s.beyond else None,
            "unsubscribed": s.unsubscribed,
            "contacts_a_week": s.contacts,
            "weekly": list(s.weekly),
            "ahead": [week.as_dict() for week in s.ahead],
        }
        for s in found
    }
    return {**setting, "policies": policies, "releases": dict(releases)}


def _percent(share: Interval | None) -> str | None:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})" if share else None


def _amount(beyond: Interval | None) -> str | None:
    return f"{beyond.value:+.2f} ({beyond.low:+.2f} to {beyond.high:+.2f})" if beyond else None
