"""The table of settings, made from the settings themselves.

`python -m tests.serving.settings_table` writes it into the reference.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tactful.serving.settings import Settings

GUIDE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
BEGINS, ENDS = "| variable | default | meaning |\n|---|---|---|\n", "\n\n"
UNSET = {
    "now": "the clock's",
    "origins": "none",
    "traces": "none",
    "token_secrets": "none",
    "webhook_url": "none",
    "webhook_secret": "none",
}


def table() -> str:
    """A row a setting."""
    return BEGINS + "\n".join(_rows())


def in_guide(text: str) -> str:
    """The table as the guide has it."""
    start = text.index(BEGINS)
    return text[start : text.index(ENDS, start)]


def _rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={"data": Path("var/demo")})
        shown = UNSET.get(name) or f"`{_shown(default)}`"
        yield f"| `TACTFUL_{name.upper()}` | {shown} | {' '.join((field.description or '').split())} |"


def _shown(value: Any) -> str:
    return str(TypeAdapter(timedelta).dump_python(value, mode="json")) if isinstance(value, timedelta) else str(value)


if __name__ == "__main__":
    guide = GUIDE.read_text(encoding="utf-8")
    GUIDE.write_text(guide.replace(in_guide(guide), table()), encoding="utf-8")
