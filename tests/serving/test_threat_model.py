"""The threat model speaks of scopes and tests that there are."""

import re
from pathlib import Path

from tactful.serving.store.queries.keys import SCOPES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")


def test_each_row_of_the_table_is_a_scope_and_names_its_test() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(tests/[\w/]+\.py)` \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 6
    assert {scope for scope, _ in rows} <= set(SCOPES)
    assert [path for _, path in rows if not (ROOT / path).is_file()] == []
    assert [path for path in re.findall(r"`(tests/[\w/]+\.py)`", PAGE) if not (ROOT / path).is_file()] == []
