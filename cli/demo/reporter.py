"""Tells a run step by step: printed as it goes, and kept for the report."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from tactful.cli.console import Advance, progress, say, table


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str
    kind: Literal["prose"] = "prose"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; `numbers` names the columns that are aligned right."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    numbers: Collection[str]
    title: str | None
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Card:
    """One thing with its particulars: (label, text) pairs."""

    title: str
    lines: Sequence[tuple[str, str]]
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot as SVG, in the report only."""

    svg: str
    caption: str
    kind: Literal["figure"] = "figure"


@dataclass
class Step:
    """One step of the run.

    Attributes:
        key: Its name among the seconds of the report.
        title: Its heading.
        console: Where it is printed.
        blocks: The parts of the report, in order.
        seconds: How long it took, once it is over.
    """

    key: str
    title: str
    console: Console
    blocks: list[Prose | Table | Card | Figure] = field(default_factory=list)
    seconds: float = 0.0

    def say(self, text: str) -> None:
        """Tells a paragraph."""
        self._tell(Prose(text), (Text(text), None))

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        numbers: Collection[str] = (),
        title: str | None = None,
    ) -> None:
        """Shows rows under headings."""
        made = table(headings, rows, numbers=numbers)
        made.show_edge = False
        self._tell(Table(headings, rows, numbers, title), *([(Text(title), "bold")] if title else []), (made, None))

    def card(self, title: str, lines: Sequence[tuple[str, str]]) -> None:
        """Shows one thing with its particulars."""
        grid = RichTable.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for label, text in lines:
            grid.add_row(Text(label), Text(text))
        self._tell(Card(title, lines), (Text(title), "bold"), (Padding(grid, (0, 0, 0, 2)), None))

    def figure(self, svg: str, caption: str) -> None:
        """Keeps a plot for the report."""
        self.blocks.append(Figure(svg, caption))

    def _tell(self, block: Prose | Table | Card, *printed: tuple[RenderableType, str | None]) -> None:
        if self.blocks:
            self.console.print()
        self.blocks.append(block)
        for what, style in printed:
            say(self.console, Padding(what, (0, 0, 0, 2)), style=style)

    def progress(self, description: str) -> AbstractContextManager[Advance]:
        """A bar while something runs."""
        return progress(description, self.console)


class Reporter:
    """Runs steps one after another and keeps what they told.

    Args:
        console: Where they are printed.

    Attributes:
        steps: The steps so far.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps: list[Step] = []

    @property
    def seconds(self) -> dict[str, float]:
        """How long each step took, by key."""
        return {step.key: round(step.seconds, 2) for step in self.steps}

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[Step]:
        """One step: its heading, what it tells, how long it took."""
        step = Step(key, title, self.console)
        self.steps.append(step)
        say(self.console, f"\n{len(self.steps)}  {title}", style="bold cyan")
        started = time.perf_counter()
        yield step
        step.seconds = time.perf_counter() - started
        say(self.console, f"  {step.seconds:.1f} s", style="dim")
