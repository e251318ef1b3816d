"""A registry in memory, for tests of what uses one."""

from collections.abc import Mapping
from pathlib import Path

from tactful.models.base.errors import RegistryError
from tactful.models.bundles.registry import Registry


class MemoryRegistry(Registry):
    """Keeps the bytes of what is registered."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[dict[str, bytes], dict[str, str]]]] = {}
        self._aliases: dict[tuple[str, str], str] = {}

    def register(self, name: str, folder: Path, *, run: str = "", tags: Mapping[str, str] | None = None) -> str:
        files = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
        self._kept.setdefault(name, []).append((files, dict(tags or {})))
        return str(len(self._kept[name]))

    def versions(self, name: str) -> tuple[str, ...]:
        return tuple(str(number + 1) for number in range(len(self._kept.get(name, ()))))

    def tags(self, name: str, version: str) -> dict[str, str]:
        return dict(self._version(name, version)[1])

    def set_tag(self, name: str, version: str, tag: str, value: str) -> None:
        self._version(name, version)[1][tag] = value

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._version(name, version)
        self._aliases[name, alias] = version

    def aliased(self, name: str, alias: str) -> str | None:
        return self._aliases.get((name, alias))

    def download(self, name: str, version: str, folder: Path) -> Path:
        files, _ = self._version(name, version)
        for path, contents in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(contents)
        return folder

    def _version(self, name: str, version: str) -> tuple[dict[str, bytes], dict[str, str]]:
        if version not in self.versions(name):
            raise RegistryError(
                "unknown version", got=version, wanted=f"one of {list(self.versions(name))}", where=name
            )
        return self._kept[name][int(version) - 1]
