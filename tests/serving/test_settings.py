"""Settings come from arguments, then the environment, then the data folder's own file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import SettingsError, StoreError
from tactful.serving.settings import Settings, clock


def test_what_is_served_is_found_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings.of(tmp_path)
    assert settings.store == f"sqlite:///{tmp_path}/tactful.db"
    assert (settings.champion, settings.catalogue) == (tmp_path / "champion", tmp_path / "catalogue.yaml")


def test_arguments_go_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tactful.env").write_text("TACTFUL_PORT=1\nTACTFUL_HOST=file\nTACTFUL_SEED=file\n")
    monkeypatch.setenv("TACTFUL_PORT", "2")
    monkeypatch.setenv("TACTFUL_HOST", "environment")
    settings = Settings.of(tmp_path, port=3, host=None)
    assert (settings.port, settings.host, settings.seed) == (3, "environment", "file")


def test_a_duration_may_be_a_number_of_seconds(tmp_path: Path) -> None:
    (tmp_path / "tactful.env").write_text("TACTFUL_GRACE=5\nTACTFUL_DEADLINE=0.5\nTACTFUL_PATIENCE=PT2S\n")
    settings = Settings.of(tmp_path)
    told = (settings.grace, settings.deadline, settings.patience)
    assert told == (timedelta(seconds=5), timedelta(seconds=0.5), timedelta(seconds=2))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("TACTFUL_PORT=many", "port: Input should be a valid integer"),
        ("TACTFUL_NOW=2017-12-20T15:00:00", "now: Input should have timezone info"),
        ("TACTFUL_TENANT=../other", "tenant: String should match pattern"),
        ("TACTFUL_AUTH=open\nTACTFUL_HOST=0.0.0.0", "auth `open` is for a loopback address, not 0.0.0.0: use `keys`"),
        ("TACTFUL_PROT=80", "tactful_prot: Extra inputs are not permitted"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "tactful.env").write_text(line)
    with pytest.raises(SettingsError, match=reason):
        Settings.of(tmp_path)


def test_the_clock_stands_still_where_a_moment_is_set(tmp_path: Path) -> None:
    (tmp_path / "tactful.env").write_text("TACTFUL_NOW=2017-12-20T10:00:00-05:00")
    tell = clock(Settings.of(tmp_path).now)
    assert tell() == tell() == datetime(2017, 12, 20, 15, tzinfo=UTC)
    assert tell().tzinfo is UTC


def test_the_clock_goes_otherwise() -> None:
    before = datetime.now(UTC)
    assert clock(None)() >= before


def test_a_store_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(StoreError, match=r"got 'redis'; wanted sqlite:///PATH"):
        open_store("redis://somewhere/1")
