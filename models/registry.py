"""Versions of models and the names they go by: a small port, and MLflow behind it.

What is registered is a folder, as `models.bundle.export` writes it: native text and digests, never a pickle.
"""

import logging
import os
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.errors import RegistryError

CHAMPION = "champion"
CHALLENGER = "challenger"
"""The latest version that was refused: it may be tried in a live experiment."""
PREVIOUS = "previous"
"""The champion before the present one, for going back."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Registry(ABC):
    """Keeps versions of named models."""

    @abstractmethod
    def register(self, name: str, folder: Path, *, run: str = "", tags: Mapping[str, str] = _NOTHING) -> str:
        """Keeps a copy of a folder as the next version of a model.

        Args:
            name: Of the model, such as "lapse".
            folder: What to keep.
            run: Id of the tracked run it came from; "" if there is none.
            tags: What to remember about the version.

        Returns:
            The version: "1", "2" and so on.
        """

    @abstractmethod
    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of a model, oldest first; empty for a model that is not known."""

    @abstractmethod
    def tags(self, name: str, version: str) -> dict[str, str]:
        """What was remembered about a version.

        Raises:
            RegistryError: There is no such version.
        """

    @abstractmethod
    def set_tag(self, name: str, version: str, tag: str, value: str) -> None:
        """Remembers something more about a version.

        Raises:
            RegistryError: There is no such version.
        """

    @abstractmethod
    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Points an alias of a model at one of its versions, away from any other.

        Raises:
            RegistryError: There is no such version.
        """

    @abstractmethod
    def aliased(self, name: str, alias: str) -> str | None:
        """The version an alias points at; None if it points at none."""

    @abstractmethod
    def download(self, name: str, version: str, folder: Path) -> Path:
        """Copies what was registered into a folder that does not exist yet, and returns it.

        Raises:
            RegistryError: There is no such version.
        """

    def champion(self, name: str) -> str | None:
        """The version in use; None if there is none yet."""
        return self.aliased(name, CHAMPION)


class MlflowRegistry(Registry):
    """The registry of an MLflow store on SQLite.

    Args:
        folder: Where the store is, or will be: `mlflow.db` and `artifacts/`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client = connect(folder)

    def register(self, name: str, folder: Path, *, run: str = "", tags: Mapping[str, str] = _NOTHING) -> str:
        """See `Registry.register`."""
        run = run or self._client.create_run(experiment(self._client, self._folder, "registry")).info.run_id
        self._client.log_artifacts(run, str(folder), "model")
        if not self._known(name):
            self._client.create_registered_model(name)
        registered = self._client.create_model_version(name, f"runs:/{run}/model", run, dict(tags))
        return str(registered.version)

    def versions(self, name: str) -> tuple[str, ...]:
        """See `Registry.versions`."""
        found = self._client.search_model_versions(f"name = '{name}'")
        return tuple(str(number) for number in sorted(int(version.version) for version in found))

    def tags(self, name: str, version: str) -> dict[str, str]:
        """See `Registry.tags`."""
        self._require(name, version)
        return dict(self._client.get_model_version(name, version).tags)

    def set_tag(self, name: str, version: str, tag: str, value: str) -> None:
        """See `Registry.set_tag`."""
        self._require(name, version)
        self._client.set_model_version_tag(name, version, tag, value)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """See `Registry.set_alias`."""
        self._require(name, version)
        self._client.set_registered_model_alias(name, alias, version)

    def aliased(self, name: str, alias: str) -> str | None:
        """See `Registry.aliased`."""
        if not self._known(name):
            return None
        version = self._client.get_registered_model(name).aliases.get(alias)
        return None if version is None else str(version)

    def download(self, name: str, version: str, folder: Path) -> Path:
        """See `Registry.download`."""
        self._require(name, version)
        run = self._client.get_model_version(name, version).run_id
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            return Path(self._client.download_artifacts(run, "model", scratch)).rename(folder)

    def _known(self, name: str) -> bool:
        return bool(self._client.search_registered_models(f"name = '{name}'"))

    def _require(self, name: str, version: str) -> None:
        if version not in (known := self.versions(name)):
            raise RegistryError("unknown version", got=version, wanted=f"one of {list(known)}", where=name)


def connect(folder: Path) -> Any:
    """A client of the MLflow store in a folder, which is made if need be.

    MLflow is imported here, not with this module: it takes seconds, and a service never needs it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=f"sqlite:///{folder.absolute() / 'mlflow.db'}")


def experiment(client: Any, folder: Path, name: str) -> str:
    """The id of an experiment, which is made if need be, its artefacts kept beside the store."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, (folder.absolute() / "artifacts" / name).as_uri()))
