"""Logs: one JSON object a line on the standard error stream, from us and from every library alike.

Nothing personal is logged: no attribute, no text, no body of a request.
"""

import logging
import sys
import traceback
from typing import Any

from structlog import contextvars, processors, stdlib


def configure(level: str) -> None:
    """Send every log record of the process to the standard error stream as JSON.

    Args:
        level: Least severity, such as `info`.
    """
    formatter = stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            contextvars.merge_contextvars,
            stdlib.add_logger_name,
            stdlib.add_log_level,
            stdlib.ExtraAdder(),
            processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            processors.format_exc_info,
            processors.JSONRenderer(sort_keys=True),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("alembic", "httpcore", "httpx", "opentelemetry", "urllib3", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))


def whence(error: BaseException) -> dict[str, Any]:
    """The logged part of an unforeseen error: its type and its place, none of its words."""
    trail = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"error": type(error).__name__, "trail": trail[-8:]}
