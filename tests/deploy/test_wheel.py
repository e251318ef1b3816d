"""What is in the wheel, which the image and every release install."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {path.name for path in (ROOT / "tactful").iterdir() if path.is_symlink()}


def built(kind: str, source: Path, folder: Path) -> Path:
    """The file that the build backend makes of a source."""
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(folder), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend is not here: install requirements/build.txt")
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_installs_one_package_the_licence_and_no_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (licence,) = (name for name in names if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    files = [name for name in names if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in files} == {"tactful"}
    assert {name.split("/")[1] for name in files} == {"__init__.py", "py.typed", *ROOMS}
    assert [name for name in names if name.endswith((".parquet", ".db"))] == []
    assert [name for name in names if "/samples/" in name or "/studies/" in name] == [], "no product code reads them"


def test_a_wheel_of_the_source_archive_holds_what_a_wheel_of_the_checkout_holds(wheel: Path, tmp_path: Path) -> None:
    source = built("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (unpacked,) = (tmp_path / "source").iterdir()
    other = built("wheel", unpacked, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(other) as second:
        assert sorted(first.namelist()) == sorted(second.namelist())


def test_an_installed_wheel_answers_and_adds_no_other_package(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True, cwd=tmp_path)
    assert {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")} == {"bin", "tactful"}
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r}); from tactful.cli import main; import tactful.decisions; "
        f"assert main.__file__.startswith({str(site)!r}); sys.argv[1:] = ['--version']; main.main()"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "tactful" in result.stdout, result.stderr
