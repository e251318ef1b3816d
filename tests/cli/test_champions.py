"""Bundles kept beside the pointer, when files are damaged or a crash cut them short."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tactful.cli.wiring.bundles import _remember, go_back, history, put_in_use
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.bundle import load
from tactful.serving.engine.in_force.pointer import bundle_folder, point_to
from tests.serving.shop import export_bundle


def in_use(pointer: Path) -> str:
    return load(bundle_folder(pointer), fingerprint=STANDARD.fingerprint).version


def test_a_kept_copy_that_was_damaged_since_is_made_again(tmp_path: Path) -> None:
    pointer, second = tmp_path / "champion", export_bundle(tmp_path / "next", seed=1)
    first = export_bundle(pointer)
    put_in_use(tmp_path / "next", pointer, "better")
    go_back(pointer, "worse")
    (tmp_path / "bundles" / second / "lapse.txt").write_text("tree")
    assert in_use(pointer) == first
    put_in_use(tmp_path / "next", pointer, "better after all")
    assert in_use(pointer) == second


def test_a_champion_that_is_damaged_can_be_left(tmp_path: Path) -> None:
    pointer, second = tmp_path / "champion", export_bundle(tmp_path / "next", seed=1)
    first = export_bundle(pointer)
    put_in_use(tmp_path / "next", pointer, "better")
    (tmp_path / "bundles" / second / "lapse.txt").write_text("tree")
    assert go_back(pointer, "damaged") == in_use(pointer) == first


def test_a_damaged_first_champion_gives_way(tmp_path: Path) -> None:
    pointer, second = tmp_path / "champion", export_bundle(tmp_path / "next", seed=1)
    export_bundle(pointer)
    (pointer / "lapse.txt").write_text("tree")
    assert put_in_use(tmp_path / "next", pointer, "the present is damaged") == in_use(pointer) == second
    assert [entry["version"] for entry in history(pointer)] == [second]


def test_going_back_begins_at_what_is_in_use(tmp_path: Path) -> None:
    pointer, second = tmp_path / "champion", export_bundle(tmp_path / "next", seed=1)
    export_bundle(pointer)
    put_in_use(tmp_path / "next", pointer, "better")
    export_bundle(tmp_path / "third", seed=2)
    point_to(pointer, tmp_path / "third")
    assert go_back(pointer, "pointed there by hand") == in_use(pointer) == second


def test_promotions_at_once_are_all_remembered(tmp_path: Path) -> None:
    pointer = tmp_path / "champion"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _remember(pointer, f"v{number}", "at once"), range(200)))
    assert sorted(entry["version"] for entry in history(pointer)) == sorted(f"v{number}" for number in range(200))


def test_a_line_of_the_history_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    pointer, second = tmp_path / "champion", export_bundle(tmp_path / "next", seed=1)
    first = export_bundle(pointer)
    put_in_use(tmp_path / "next", pointer, "better")
    with (tmp_path / "champion.history").open("a", encoding="utf-8") as file:
        file.write('{"version": "a12')
    assert go_back(pointer, "worse") == first
    assert [entry["version"] for entry in history(pointer)] == [first, second, first]
