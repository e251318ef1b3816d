"""A whole store as one archive: made while it works, restored into an empty store of the same kind and release.

archive.zip
  manifest.json      kind, schema, moment, and for each part its sha256 and rows
  store.db           SQLite's own copy of the file, or
  tables/NAME.copy   what PostgreSQL's COPY gives, binary, of one REPEATABLE READ transaction
"""

import hashlib
import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from tactful.serving.errors import StoreError
from tactful.serving.store.database import Database
from tactful.serving.store.migrate import schema_of
from tactful.serving.store.schema import metadata

FORMAT = 1
MANIFEST = "manifest.json"
FILE = "store.db"
_CHUNK = 1 << 20
_SECRET = ("keys",)
"""Tables of secrets, which an archive leaves out unless it is asked for them."""

Progress = Callable[[int, int], None]
"""Called with the parts done, and all."""


@dataclass(frozen=True, slots=True)
class Archived:
    """The contents of an archive.

    Args:
        kind: `sqlite` or `postgresql`.
        schema: The schema's version.
        moment: When it was made, ISO 8601.
        rows: By table.
    """

    kind: str
    schema: str
    moment: str
    rows: dict[str, int]


def backup(
    database: Database,
    archive: Path,
    moment: datetime,
    progress: Progress = lambda _done, _of: None,
    *,
    keys: bool = False,
) -> Archived:
    """Write all of a store to an archive, without the API keys; others go on reading and writing.

    The archive appears complete or not at all, for its owner's eyes alone.

    Args:
        database: The database.
        archive: The file; one that is there is replaced.
        moment: Now.
        progress: Told how far it is.
        keys: Whether the archive holds the digests of the API keys too, so that they work after a restore.

    Raises:
        StoreError: The database fails, or the archive cannot be written.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f".{archive.name}-") as scratch, _guarded(archive):
        folder = Path(scratch)
        with database.read() as connection:
            found = Archived(connection.dialect.name, schema_of(connection), moment.isoformat(), _rows(connection))
            copied = _copy_sqlite if found.kind == "sqlite" else _copy_postgres
            left_out = () if keys else _SECRET
            parts = list(copied(connection, folder, progress, left_out))
            found.rows.update(dict.fromkeys(left_out, 0))
        written = folder / archive.name
        with zipfile.ZipFile(written, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as into:
            for part in parts:
                into.write(part, part.relative_to(folder).as_posix())
            digests = {part.relative_to(folder).as_posix(): _digest(part) for part in parts}
            into.writestr(MANIFEST, _manifest(found, digests))
        written.chmod(0o600)
        written.replace(archive)
    return found


def restore(database: Database, archive: Path, progress: Progress = lambda _done, _of: None) -> Archived:
    """Fill an empty store from an archive.

    Args:
        database: The database, with the present schema and no rows.
        archive: The file.
        progress: Told how far it is.

    Raises:
        StoreError: The store holds something, the archive is damaged or of another kind or release, or the database
            fails.
    """
    with tempfile.TemporaryDirectory(prefix="tactful-restore-") as scratch, _guarded(archive):
        folder = Path(scratch)
        found = _unpack(archive, folder)
        fill = _fill_sqlite if found.kind == "sqlite" else _fill_postgres
        fill(database, found, archive, folder, progress)
    return found


def _rows(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def _copy_sqlite(connection: Connection, folder: Path, progress: Progress, left_out: Collection[str]) -> Iterator[Path]:
    with closing(sqlite3.connect(folder / FILE)) as copy:
        _driver(connection).backup(copy, pages=1_000, progress=lambda _, left, of: progress(of - left, of))
        for table in left_out:
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 # nosec B608 # our own tables
        copy.commit()
        if left_out:
            copy.execute("VACUUM")
    yield folder / FILE


def _copy_postgres(
    connection: Connection, folder: Path, progress: Progress, left_out: Collection[str]
) -> Iterator[Path]:
    (folder / "tables").mkdir()
    for number, table in enumerate(metadata.sorted_tables, start=1):
        part = folder / _part(table)
        rows = "WHERE false" if table.name in left_out else ""
        command = f"COPY (SELECT {_columns(table)} FROM {table.name} {rows}) TO STDOUT (FORMAT binary)"  # noqa: S608 # nosec B608 # our own tables
        with part.open("xb") as into, _driver(connection).cursor() as cursor, cursor.copy(command) as copied:
            into.writelines(copied)
        yield part
        progress(number, len(metadata.sorted_tables))


def _fill_sqlite(database: Database, found: Archived, archive: Path, folder: Path, progress: Progress) -> None:
    with database.alone() as connection, closing(sqlite3.connect(folder / FILE)) as copy:
        _require_fit(connection, found, archive)
        copy.backup(_driver(connection), pages=1_000, progress=lambda _, left, of: progress(of - left, of))


def _fill_postgres(database: Database, found: Archived, archive: Path, folder: Path, progress: Progress) -> None:
    with database.begin() as connection:
        _require_fit(connection, found, archive)
        for number, table in enumerate(metadata.sorted_tables, start=1):
            command, part = f"COPY {table.name} ({_columns(table)}) FROM STDIN (FORMAT binary)", folder / _part(table)
            with part.open("rb") as told, _driver(connection).cursor() as cursor, cursor.copy(command) as copied:
                while block := told.read(_CHUNK):
                    copied.write(block)
            progress(number, len(metadata.sorted_tables))


def _require_fit(connection: Connection, found: Archived, archive: Path) -> None:
    """The store must be empty, and of the archive's kind and release."""
    if found.kind != connection.dialect.name:
        raise StoreError(
            "an archive of another kind of store", got=found.kind, wanted=connection.dialect.name, where=archive
        )
    if found.schema != (schema := schema_of(connection)):
        raise StoreError(
            "an archive of another release", got=f"schema {found.schema}", wanted=f"schema {schema}", where=archive
        )
    if full := sorted(name for name, rows in _rows(connection).items() if rows):
        raise StoreError("a store that holds something already", got=", ".join(full), wanted="an empty store")


def _unpack(archive: Path, folder: Path) -> Archived:
    """The archive's parts in a folder, each with the digest the manifest has."""
    with zipfile.ZipFile(archive) as parts:
        manifest = json.loads(parts.read(MANIFEST))
        if manifest.get("format") != FORMAT:
            raise StoreError("an archive of another release", got=manifest.get("format"), wanted=FORMAT, where=archive)
        for name, digest in manifest["parts"].items():
            part = folder / name
            if not part.resolve().is_relative_to(folder.resolve()):
                raise StoreError("a damaged archive", got=name, wanted="parts inside the archive", where=archive)
            part.parent.mkdir(exist_ok=True)
            with parts.open(name) as packed, part.open("xb") as into:
                shutil.copyfileobj(packed, into, _CHUNK)
            if (got := _digest(part)) != digest:
                raise StoreError("a damaged archive", got=f"{name} with digest {got}", wanted=digest, where=archive)
    return Archived(manifest["kind"], manifest["schema"], manifest["moment"], manifest["rows"])


def _manifest(found: Archived, digests: dict[str, str]) -> str:
    return json.dumps({"format": FORMAT, "parts": digests, **asdict(found)}, indent=2, sort_keys=True) + "\n"


def _digest(part: Path) -> str:
    with part.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _part(table: Table) -> str:
    return f"tables/{table.name}.copy"


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


@contextmanager
def _guarded(archive: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, sqlite3.Error) as error:
        raise StoreError("the archive cannot be written or read", got=str(error), where=archive) from error
