"""Logs are one JSON object a line, ours and every library's."""

import json
import logging
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from tactful.serving.telemetry import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_line_of_json(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    with bound_contextvars(request_id="r1"):
        logging.getLogger("tactful.serving.somewhere").warning("champion refused", extra={"kept": "b1"})
        logging.getLogger("a.library").debug("chatter")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("a.library").exception("it failed: %s", "badly")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "champion refused",
        "kept": "b1",
        "level": "warning",
        "logger": "tactful.serving.somewhere",
        "request_id": "r1",
    }
    assert (second["event"], second["level"]) == ("it failed: badly", "error")
    assert "ZeroDivisionError" in second["exception"]


def test_libraries_that_chatter_are_heard_only_when_something_is_wrong(root: logging.Logger) -> None:
    logs.configure("debug")
    assert not logging.getLogger("alembic.runtime").isEnabledFor(logging.INFO)
    assert not logging.getLogger("uvicorn.error").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO), "it tells the addresses of receivers"
    assert logging.getLogger("tactful.serving").isEnabledFor(logging.DEBUG)
