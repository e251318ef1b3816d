"""Work that passes its limits is ended, and costs its parent nothing but an error."""

import pytest

from tactful.serving.confined import ConfinedError, Limits, confined


@pytest.mark.parametrize(
    ("work", "given", "limits", "reason"),
    [
        ("builtins:bytearray", 1 << 34, Limits(memory=1 << 30), "MemoryError"),
        ("builtins:exec", "while True: pass", Limits(processor=1), "signal"),
        ("time:sleep", 1_000_000, Limits(wall=0.5), "work that does not end"),
        ("os:_exit", 3, Limits(), "status 3"),
        ("os:abort_", None, Limits(), "abort_"),
    ],
)
def test_work_that_passes_its_limits_is_ended(work: str, given: object, limits: Limits, reason: str) -> None:
    with pytest.raises(ConfinedError, match=reason):
        confined(work, given, limits)


def test_what_the_work_prints_is_no_part_of_its_answer() -> None:
    assert confined("builtins:print", "noise") is None
