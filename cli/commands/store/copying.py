"""`tactful store copy`: a store moves to another database."""

from contextlib import AbstractContextManager, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.cli.console import console, print_json, progress, say, table
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.serving.store.port import Store

Place = "The folder of a service, or a URL: sqlite:///PATH or postgresql://…"


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help=Place)],
    target: Annotated[str, typer.Argument(metavar="TO", help=Place)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Copy a whole store into an empty one of either kind: all of it or nothing.

    Counts and digests of every table are compared before the copy counts. The source stays as it is; stop its service
    first, since what it takes in later is not copied.
    """
    from tactful.serving.store.admin.copying import copy as copied

    with (
        _opened(source, must_exist=True) as old,
        _opened(target) as new,
        progress("Copying", console(stderr=True)) as advance,
    ):
        found = copied(old.database, new.database, advance)
    if as_json:
        print_json(asdict(found))
        return
    rows = [(name, count, found.digests[name][:12]) for name, count in found.rows.items() if count]
    say(console(), table(("table", "rows", "digest"), rows, numbers=("rows",)))
    say(console(), "Copied, and equal in both stores. Let TACTFUL_STORE name the new one.")


def _opened(place: str, *, must_exist: bool = False) -> "AbstractContextManager[Store]":
    """The store of a folder, or of a URL."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.opening import open_store, store_exists

    if "://" not in place:
        return closing(open_folder(place, must_exist=must_exist).store)
    if must_exist and not store_exists(place):
        raise TactfulError("no such store", got=place, wanted="a store that is there")
    return closing(open_store(place))
