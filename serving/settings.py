"""Settings: from arguments, then the environment (`TACTFUL_…`), then `tactful.env` in the data folder."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from tactful.serving.addresses import is_loopback
from tactful.serving.errors import SettingsError
from tactful.serving.signing.customer_tokens import SHORTEST_SECRET
from tactful.serving.signing.webhooks import Receivers, Webhook
from tactful.serving.store.database import Durability

_NUMBER = re.compile(r"\d+(\.\d+)?")


class TenantWebhook(BaseModel):
    """A tenant's own receiver of decisions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    secrets: tuple[SecretStr, ...]

    @property
    def receiver(self) -> Webhook:
        """The receiver."""
        return Webhook.of(self.url, *(secret.get_secret_value() for secret in self.secrets))


class Settings(BaseSettings):
    """The settings of a service.

    Example:
        >>> Settings(data=Path("var/shop")).store
        'sqlite:///var/shop/tactful.db'
    """

    model_config = SettingsConfigDict(env_prefix="TACTFUL_", frozen=True, extra="forbid", use_attribute_docstrings=True)

    data: Path = Path("var/demo")
    """Folder of the service; the next three lie in it unless you set them."""
    store: str = Field(default_factory=lambda known: f"sqlite:///{known['data']}/tactful.db")
    """URL of the operational store: `sqlite:///PATH` or `postgresql://…`."""
    champion: Path = Field(default_factory=lambda known: known["data"] / "champion")
    """The bundle folder, or a text file that names it (relative to the file's own folder). A tenant with a bundle in
    `tenants/TENANT/champion` of the data folder uses that one."""
    catalogue: Path = Field(default_factory=lambda known: known["data"] / "catalogue.yaml")
    """The catalogue's YAML file, for tenants without a catalogue that was put in force over HTTP."""
    tenant: str = Field(default="default", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """The tenant of commands, of the probes and of callers without keys."""
    durability: Durability = "full"
    """`full`: acknowledged data survive the loss of power; `normal`: they survive the death of any process only."""
    connections: int = Field(default=8, ge=1)
    """Largest number of connections to PostgreSQL that a worker opens for decisions and events."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer requests."""
    auth: Literal["keys", "open"] = "keys"
    """`keys`: callers send an API key; `open`: every caller may do everything, on a loopback address alone."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may call from a browser, as a JSON list such as `["https://shop.example"]`; none if empty."""
    metrics: Literal["key", "loopback"] = "key"
    """Who may read `/metrics`: keys of the tenant above with scope `admin`, or besides them every process of this
    machine."""
    traces: str = ""
    """OTLP/HTTP endpoint for traces, such as `http://127.0.0.1:4318`; if empty, `OTEL_EXPORTER_OTLP_ENDPOINT`; no
    traces if that is not set either."""
    body_limit: int = Field(default=65_536, gt=0)
    """Largest request body, in bytes, for routes without a limit of their own."""
    patience: timedelta = Field(default=timedelta(seconds=15), gt=timedelta())
    """How long a client may take over the head of a request, and between two pieces of its body."""
    rate: float = Field(default=1_000.0, gt=0)
    """Tokens a second for an API key without a rate of its own, over all workers together."""
    deadline: timedelta = Field(default=timedelta(minutes=1), gt=timedelta())
    """How long a request may take, from its head to the end of its answer; then the answer is 503."""
    store_deadline: timedelta = Field(default=timedelta(seconds=10), ge=timedelta(milliseconds=10))
    """How long PostgreSQL may take over one statement of the service; then the answer is 503."""
    grace: timedelta = Field(default=timedelta(seconds=30), gt=timedelta())
    """How long requests that began may take to finish after the service was asked to stop."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""
    seed: str = "tactful"
    """Seed of every draw."""
    now: AwareDatetime | None = None
    """The moment of every decision, for replays and demonstrations; the clock's if it is not set."""
    reservation: timedelta = Field(default=timedelta(days=30), gt=timedelta())
    """How long a contact that is neither confirmed nor released counts."""
    tracking: Path = Field(default_factory=lambda known: known["data"] / "tracking.yaml")
    """A YAML file with the meaning of your own names of events and traits; without it, the standard names alone."""
    token_secrets: Mapping[str, tuple[SecretStr, ...]] = {}
    """Secrets with which shops sign tokens of their customers, by tenant, as JSON such as `{"default": ["…"]}`; at
    least 32 bytes each, and several while one replaces another; without them, pages get no content."""
    merges: int = Field(default=20, ge=0)
    """How many ids may become one customer within an hour, also by keys of scope `merge`."""
    events: int = Field(default=2_000, ge=1)
    """How many events of a customer that happened on one day are kept; refusals and contacts always are."""
    keep_inputs: timedelta = Field(default=timedelta(days=365), ge=timedelta(days=1))
    """How long the inputs of decisions are kept; without inputs, a decision cannot be made again."""
    keep_silences: timedelta = Field(default=timedelta(days=730), ge=timedelta(days=1))
    """How long decisions for silence are kept."""
    upkeep: bool = False
    """Whether the service backs up, compacts and checks the store by itself, for every tenant, once a day."""
    backup: Path | None = None
    """The archive that upkeep writes, a .zip, without API keys; none where it is not set."""
    webhook_url: str | None = None
    """The receiver of decisions that events trigger: https, or http on this machine; without it, nobody gets them."""
    webhook_deadline: timedelta = Field(default=timedelta(seconds=10), gt=timedelta())
    """How long a whole delivery to a receiver may take; then it is broken off and tried again later."""
    webhook_secret: SecretStr | None = None
    """The key that signs deliveries: `whsec_` and at least 24 bytes in base64; several, with spaces between them, while
    one replaces another."""
    webhooks: Mapping[str, TenantWebhook] = {}
    """Receivers of tenants that have one of their own, as JSON such as
    `{"market": {"url": "https://…", "secrets": ["whsec_…"]}}`; each signs with all of its secrets."""

    @field_validator("*", mode="before")
    @classmethod
    def _seconds(cls, value: Any, field: ValidationInfo) -> Any:
        """A duration may be a plain number of seconds."""
        is_duration = field.field_name and cls.model_fields[field.field_name].annotation is timedelta
        return float(value) if is_duration and isinstance(value, str) and _NUMBER.fullmatch(value) else value

    @model_validator(mode="after")
    def _open_on_loopback_alone(self) -> Self:
        if self.auth == "open" and not is_loopback(self.host):
            raise ValueError(f"auth `open` is for a loopback address, not {self.host}: use `keys`")
        return self

    @field_validator("token_secrets")
    @classmethod
    def _long_enough(cls, secrets: Mapping[str, tuple[SecretStr, ...]]) -> Mapping[str, tuple[SecretStr, ...]]:
        for tenant, some in secrets.items():
            if any(len(secret.get_secret_value().encode()) < SHORTEST_SECRET for secret in some):
                raise ValueError(f"a secret that is too short for tenant {tenant}: wanted {SHORTEST_SECRET} bytes")
        return secrets

    @model_validator(mode="after")
    def _webhook_fit(self) -> Self:
        if (self.webhook_url is None) is not (self.webhook_secret is None):
            raise ValueError("webhook_url and webhook_secret: one without the other")
        try:
            _ = self.receivers
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def receivers(self) -> Receivers:
        """The receivers of decisions upon events."""
        own = {tenant: webhook.receiver for tenant, webhook in self.webhooks.items()}
        if self.webhook_url is None or self.webhook_secret is None:
            return Receivers(own=own)
        return Receivers(Webhook.of(self.webhook_url, *self.webhook_secret.get_secret_value().split()), own)

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
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ") for e in error.errors())
            where = f"the options, the environment or {data / 'tactful.env'}"
            raise SettingsError(f"settings that cannot be used ({wrong})", where=where) from error


def folder_of(settings: Settings, tenant: str) -> Path:
    """The folder of a tenant: the data folder for the settings' own, one inside it for every other."""
    return settings.data if tenant == settings.tenant else settings.data / "tenants" / tenant


def clock(fixed: datetime | None) -> Callable[[], datetime]:
    """Tells the moment, UTC: always the fixed one where there is one."""
    if fixed is None:
        return lambda: datetime.now(UTC)
    moment = fixed.astimezone(UTC)
    return lambda: moment
