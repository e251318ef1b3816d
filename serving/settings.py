"""Settings: from arguments, then the environment (`TACTFUL_…`), then `tactful.env` in the data folder."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.errors import SettingsError


class Settings(BaseSettings):
    """What a service is told from outside.

    Args:
        data: Folder of what it serves from; the next three are found in it unless they are given.
        store: URL of the operational store: `sqlite:///PATH` or `postgresql://…`.
        champion: The bundle folder, or a text file that names it (relative to the file's own folder).
        catalogue: The catalogue's YAML file.
        tenant: Whose customers these are.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        log_level: Least severity that is logged.
        seed: Seed of every draw.
        now: The moment every decision is made at, for replays and demonstrations; the clock's where None.
        reservation: How long a contact that is neither confirmed nor released counts.
        body_limit: Largest request body, in bytes.

    Example:
        >>> Settings(data=Path("var/shop")).store
        'sqlite:///var/shop/tactful.db'
    """

    model_config = SettingsConfigDict(env_prefix="TACTFUL_", frozen=True, extra="forbid")

    data: Path = Path("var/demo")
    store: str = Field(default_factory=lambda known: f"sqlite:///{known['data']}/tactful.db")
    champion: Path = Field(default_factory=lambda known: known["data"] / "champion")
    catalogue: Path = Field(default_factory=lambda known: known["data"] / "catalogue.yaml")
    tenant: str = Field(default="default", min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    seed: str = "tactful"
    now: AwareDatetime | None = None
    reservation: timedelta = Field(default=timedelta(days=30), gt=timedelta())
    body_limit: int = Field(default=65_536, gt=0)

    @classmethod
    def of(cls, data: Path, **given: Any) -> Self:
        """The settings of a data folder, with what its `tactful.env` says.

        Args:
            data: The folder.
            given: Settings that go before everything else; those that are None count as not given.

        Raises:
            SettingsError: A setting is unknown or cannot be what it was set to.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        try:
            return cls(_env_file=data / "tactful.env", data=data, **chosen)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            where = f"the options, the environment or {data / 'tactful.env'}"
            raise SettingsError(f"settings that cannot be used ({wrong})", where=where) from error
