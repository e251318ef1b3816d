"""The check of the documentation site finds what a page would load from another host."""

from pathlib import Path

import pytest

from release.offline import foreign


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/a.js"></script>',
        "<link rel=stylesheet href=//fonts.example/css?family=Inter>",
        '<img alt="x" src="http://img.example/x.png">',
        "<style>@import url('https://fonts.example/css')</style>",
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.html").write_text(f"<html>{text}</html>")
    (found,) = foreign(tmp_path)
    assert found.startswith("page.html: ")
    assert ".example/" in found


def test_links_that_a_reader_follows_and_files_of_the_site_are_no_matter(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<a href="https://example.org/">out</a><img src="pictures/loop.svg">')
    assert foreign(tmp_path) == []
