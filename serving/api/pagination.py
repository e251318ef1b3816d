"""Cursors of pages: the place of the last row, written so that nobody is tempted to make one up."""

import base64
import binascii
from datetime import datetime

from tactful.serving.errors import CursorError

Place = tuple[datetime, str]
"""The moment and the id of a row."""


def cursor_of(moment: datetime, id_: str) -> str:
    """The cursor of a place.

    Example:
        >>> from datetime import UTC
        >>> parsed(cursor_of(datetime(2026, 5, 1, tzinfo=UTC), "d1"))[1]
        'd1'
    """
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {id_}".encode()).decode()


def parsed(cursor: str) -> Place:
    """The place of a cursor.

    Raises:
        CursorError: It is none of ours.
    """
    try:
        moment, id_ = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ", 1)
        place = datetime.fromisoformat(moment), id_
    except (ValueError, binascii.Error):
        raise CursorError("not a cursor", wanted="`next` of the page before") from None
    if place[0].tzinfo is None or not place[1].isprintable():
        raise CursorError("not a cursor", wanted="`next` of the page before")
    return place
