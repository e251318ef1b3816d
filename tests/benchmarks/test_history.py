"""A ratio that became worse is seen, on the same kind of machine alone."""

import json
from pathlib import Path

import pytest

from benchmarks import _history


def ran(history: Path, ratio: float, date: str, machine: str = "here") -> None:
    line = {"date": date, "machine": machine, "commit": "c", "ratios": {"single_over_scoring": ratio}}
    with (history / "decide.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


@pytest.mark.parametrize(("ratio", "code"), [(8.0, 0), (8.7, 0), (8.9, 1)])
def test_a_ratio_that_became_worse_by_a_tenth_fails(tmp_path: Path, ratio: float, code: int) -> None:
    for number, before in enumerate((8.0, 7.0, 30.0)):
        ran(tmp_path, before, f"2026-01-0{number + 1}")
    ran(tmp_path, 1.0, "2026-01-04", machine="elsewhere")
    ran(tmp_path, ratio, "2026-01-05")
    assert _history.compare(tmp_path) == code


def test_one_run_is_no_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran(tmp_path, 8.0, "2026-01-01")
    assert _history.compare(tmp_path) == 0
    assert "No benchmark has two recorded runs" in capsys.readouterr().out


def test_a_document_is_recorded_once(tmp_path: Path) -> None:
    document = {"single_over_scoring": 8.0, "chunked_over_scoring": 17.0, "single": {"total": 600}}
    (tmp_path / "decide.json").write_text(json.dumps(document))
    _history.record(tmp_path, tmp_path / "history")
    _history.record(tmp_path, tmp_path / "history")
    (run,) = _history.runs("decide", tmp_path / "history")
    assert run["ratios"] == {"single_over_scoring": 8.0, "chunked_over_scoring": 17.0}
    assert run["machine"] == _history.machine()
