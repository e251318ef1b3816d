"""How every command speaks: tables and bars for people, JSON for machines."""

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_NEGATIVE = re.compile(r"(?<![\w./-])-(?=[\d.])")
PLAIN_WIDTH = 100
"""Columns where the output is no terminal, unless `COLUMNS` says otherwise."""

Advance = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""


def console(*, stderr: bool = False) -> Console:
    """Where people read: coloured and as wide as the terminal, or plain and of one width.

    Text is printed as it is: `:100:` is no emoji and `[x]` no style.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", PLAIN_WIDTH))
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)


def say(console: Console, what: RenderableType, style: str | None = None) -> None:
    """Prints something; where the output is no terminal, without the blanks that would fill its lines up."""
    what = with_minus(what) if isinstance(what, str) else what
    if console.is_terminal:
        console.print(what, style=style)
        return
    with console.capture() as captured:
        console.print(what)
    lines = captured.get().splitlines()
    console.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def print_json(value: Any) -> None:
    """Prints a value on stdout for a machine: sorted keys, no NaN."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Collection[str] = (), title: str | None = None
) -> Table:
    """A table for people; whole numbers get thousands separators.

    Args:
        headings: One a column.
        rows: One value a column; None is shown as a dash.
        numbers: The headings of columns to align right.
        title: Stands above it.
    """
    above = None if title is None else Text(title, no_wrap=True, overflow="ignore")
    made = Table(box=box.SIMPLE_HEAD, title=above, title_justify="left", title_style="bold", pad_edge=False)
    for heading in headings:
        right = heading in numbers
        made.add_column(heading, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(value)) for value in row))
    return made


def shown(value: Any) -> str:
    """A value as a person reads it.

    Example:
        >>> shown(155848), shown(None), shown("mail")
        ('155,848', '–', 'mail')
        >>> shown("-4.7% to -1.7%"), shown("2026-06-08"), shown("list-2")
        ('−4.7% to −1.7%', '2026-06-08', 'list-2')
    """
    if value is None:
        return "–"
    return with_minus(f"{value:,}" if isinstance(value, int) else str(value))


def with_minus(text: str) -> str:
    """A text whose negative numbers begin with a minus sign, not a hyphen."""
    return _NEGATIVE.sub("−", text)


@contextmanager
def progress(description: str, console: Console) -> Iterator[Advance]:
    """A bar while something runs, on a terminal; it leaves no trace.

    Args:
        description: The running work.
        console: Where to show it.
    """
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(description, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
