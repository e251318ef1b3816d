"""Versions of models and the names they go by: a small port, and MLflow behind it.

What is registered is a folder, as `tactful.models.bundles.bundle.export` writes it: native text and digests, never a
pickle. MLflow's registry keeps it as an MLflow model that `tactful.models.bundles.mlflow_model` loads.
"""

import logging
import os
import sqlite3
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from importlib.metadata import version as version_of
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tactful.models.base.errors import RegistryError
from tactful.models.bundles import mlflow_model
from tactful.models.bundles.manifest import MANIFEST

CHAMPION = "champion"
CHALLENGER = "challenger"
"""The latest version that was refused: it may be tried in a live experiment."""
PREVIOUS = "previous"
"""The champion before the present one, for going back."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_ARTIFACTS = "artifacts"
_LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "model_versions": "storage_location",
    "logged_models": "artifact_location",
}
"""The columns of MLflow's tables that say where artefacts are, by table."""


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
        """The record of a version.

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
        with tempfile.TemporaryDirectory() as scratch:
            self._client.log_artifacts(run, str(_packed(folder, Path(scratch) / "model")), "model")
        if not self._known(name):
            self._client.create_registered_model(name, description=f"The model behind the score or effects `{name}`.")
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
            return _unpacked(Path(self._client.download_artifacts(run, "model", scratch))).rename(folder)

    def _known(self, name: str) -> bool:
        return bool(self._client.search_registered_models(f"name = '{name}'"))

    def _require(self, name: str, version: str) -> None:
        if version not in (known := self.versions(name)):
            raise RegistryError("unknown version", got=version, wanted=f"one of {list(known)}", where=name)


def _packed(folder: Path, model: Path) -> Path:
    """Copies a folder into an MLflow model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.pyfunc import save_model

        save_model(
            path=model,
            loader_module=mlflow_model.__name__,
            data_path=str(folder),
            pip_requirements=[f"tactful=={version_of('tactful')}"],
            signature=_signature(folder) if (folder / MANIFEST).exists() else None,
        )
    return model


def _unpacked(model: Path) -> Path:
    """The folder that an MLflow model was made of; versions of earlier releases are that folder themselves."""
    return next((model / "data").iterdir()) if (model / "MLmodel").exists() else model


def _signature(folder: Path) -> Any:
    """The columns that the models of a bundle read, as MLflow describes them."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    bundle = mlflow_model.open_bundle(folder)
    read = [
        ColSpec("string" if name == mlflow_model.MESSAGE else "double", name)
        for name in mlflow_model.features_read(bundle)
    ]
    offered = [
        ColSpec("string" if feature.categories else "double", feature.name, required=False)
        for feature in bundle.offered
    ]
    return ModelSignature(inputs=Schema([*read, *offered]))


def connect(folder: Path) -> Any:
    """A client of the MLflow store in a folder, which is made if need be.

    A store that was moved or copied keeps its artefacts: what it says of their place follows the folder.

    MLflow is imported here, not with this module: it takes seconds, and a service never needs it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        database = folder.absolute() / "mlflow.db"
        client = MlflowClient(tracking_uri=f"sqlite:///{database}")
        client.search_experiments(max_results=1)
    _follow(database)
    return client


def _follow(database: Path) -> None:
    """Lets the store's locations begin with the folder of its database.

    MLflow keeps absolute locations and has no call that changes them.
    """
    here = (database.parent / _ARTIFACTS).as_uri()
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        locations = connection.execute("SELECT artifact_location, '/' || name FROM experiments").fetchall()
        roots = {location.removesuffix(name) for location, name in locations if location.endswith(_ARTIFACTS + name)}
        for root in roots - {here}:
            for table, column in _LOCATIONS.items():
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} LIKE ? || '/%'",  # noqa: S608 # nosec B608
                    (here, len(root) + 1, root),
                )


def experiment(client: Any, folder: Path, name: str, description: str = "") -> str:
    """The id of an experiment, which is made if need be, its artefacts kept beside the store.

    Its page in MLflow opens on the table of runs.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": description}
    return str(client.create_experiment(name, (folder.absolute() / _ARTIFACTS / name).as_uri(), tags))
