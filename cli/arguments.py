"""How arguments of commands are read, and who gives them."""

import getpass
import os
from datetime import timedelta

import typer

from tactful.decisions.base.durations import parse_duration


def operator() -> str:
    """The caller of the command, as records name it: the user of the machine, by number where the user has no name.

    Example:
        >>> operator().startswith("cli:")
        True
    """
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"


def days(text: str | int) -> int:
    """Whole days of a duration such as 28d or 4w."""
    if isinstance(text, int):
        return text
    try:
        duration = parse_duration(text)
    except ValueError:
        duration = timedelta()
    if not duration or duration % timedelta(days=1):
        raise typer.BadParameter(f"not whole days: got {text!r}; wanted a duration such as 28d or 4w")
    return duration.days
