"""`tactful simulate` for a few weeks."""

import json

import pytest

from tactful.cli.commands.simulate import seeds_of
from tactful.features.errors import TactfulError
from tests.cli.shopfront import tactful

FEW = ("simulate", "--weeks", "3", "--seeds", "0,1", "--customers", "60")


def test_policies_stand_side_by_side(tmp_path) -> None:
    picture = tmp_path / "time.png"
    result = tactful(*FEW, "--policies", "silence,list-2,triggers,tactful,oracle", "--plot", str(picture))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "The realistic world, 3 weeks, seeds 0,1, 60 customers each"
    assert [line.split()[0] for line in lines[4:9]] == ["silence", "list-2", "triggers", "tactful", "oracle"]
    assert "The release gate of tactful: seed 0: week 0" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_as_json_and_again_the_same() -> None:
    first, second = (tactful(*FEW, "--policies", "silence,tactful", "--json").stdout for _ in range(2))
    assert first == second
    found = json.loads(first)
    assert found["seeds"] == [0, 1]
    assert found["policies"]["silence"]["contacts_a_week"] == 0
    assert found["policies"]["tactful"]["gap_closed"] is None
    assert len(found["policies"]["tactful"]["weekly"]) == 3
    assert [set(week) for week in found["policies"]["tactful"]["ahead"]] == [{"value", "low", "high"}] * 3
    assert found["releases"]["tactful"].keys() == {"0", "1"}


def test_an_unknown_policy_is_refused() -> None:
    result = tactful(*FEW, "--policies", "silence,genius")
    assert isinstance(result.exception, TactfulError)
    assert "unknown policy: got 'genius'" in str(result.exception)


def test_seeds_are_lists_and_ranges() -> None:
    assert seeds_of("10-14") == [10, 11, 12, 13, 14]
    with pytest.raises(ValueError, match="invalid literal"):
        seeds_of("ten")
