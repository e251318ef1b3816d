"""Decisions and their explanations are the ones that were agreed on, to the byte."""

import pytest

from tactful.decisions.kernel.decide import KERNEL
from tests.decisions.golden import FOLDER, SNAPSHOTS, decision, explanations, record, unexplained

AGAIN = "python -m tests.decisions.golden"


@pytest.mark.parametrize("case", SNAPSHOTS)
def test_a_record_changes_only_with_the_kernel(case: str) -> None:
    agreed, now = record(case).read_bytes(), decision(case).as_bytes()
    assert not unexplained(agreed, now), f"other bytes as kernel {KERNEL}: raise KERNEL in decisions/kernel/decide.py"
    assert now == agreed, f"another catalogue or kernel: write the records anew with `{AGAIN}`"


def test_a_change_without_a_version_is_told_from_one_with() -> None:
    agreed = decision("winner").as_bytes()
    dearer = agreed.replace(b'"cost":0.01', b'"cost":0.02')
    assert unexplained(agreed, dearer)
    assert not unexplained(agreed, dearer.replace(f'"kernel":"{KERNEL}"'.encode(), b'"kernel":"another"'))
    assert not unexplained(agreed, agreed)


@pytest.mark.parametrize("case", SNAPSHOTS)
def test_an_explanation_is_the_one_that_was_agreed(case: str) -> None:
    agreed = {name: (FOLDER / case / name).read_text(encoding="utf-8") for name in explanations(case)}
    assert explanations(case) == agreed


def test_there_is_no_case_that_is_gone() -> None:
    files = {"record.json", *explanations("winner")}
    kept = {(path.parent.name, path.name) for path in FOLDER.glob("*/*") if path.parent.name != "__pycache__"}
    assert kept == {(case, name) for case in SNAPSHOTS for name in files}
