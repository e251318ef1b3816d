"""The folder of a service: its settings, its store and its models, opened once and closed once."""

import uuid
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tactful.features.timestamps import moment_of
from tactful.serving.errors import SettingsError
from tactful.serving.settings import Settings, clock, folder_of
from tactful.serving.store.opening import open_store, store_exists
from tactful.serving.store.port import Store

if TYPE_CHECKING:
    import pandas as pd

    from tactful.decisions.catalogue.model import Catalogue
    from tactful.serving.engine.in_force.champion import Champion
    from tactful.serving.engine.service import DecisionService
    from tactful.serving.folder.explanation import Explanation


class ServiceFolder:
    """A service's folder, opened for one tenant.

    Tables are pandas frames whose columns and types do not depend on their rows, so that they are the same when they
    are empty. Moments are aware, in UTC, to the microsecond; amounts are in the catalogue's currency.

    `tactful.open` and `open_folder` open one; a `with` block or `close` closes its store.

    Args:
        settings: The folder's settings.
        store: Its store.
        tenant: The tenant of the customers.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, open_folder(folder) as shop:
        ...     contacts = shop.contacts()
        >>> len(contacts), str(contacts["time"].dtype), str(contacts["status"].dtype)
        (0, 'datetime64[us, UTC]', 'str')
    """

    def __init__(self, settings: Settings, store: Store, tenant: str) -> None:
        self.settings = settings
        self.store = store
        self.tenant = tenant

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.settings.data)!r}, tenant={self.tenant!r})"

    def close(self) -> None:
        """Release every connection to the store."""
        self.store.close()

    @property
    def now(self) -> datetime:
        """The service's moment: the fixed one of its settings (`TACTFUL_NOW`), else the clock's."""
        return clock(self.settings.now)()

    @property
    def histories(self) -> Path:
        """The folder with the data set of the tenant's events."""
        return folder_of(self.settings, self.tenant) / "events"

    @cached_property
    def service(self) -> "DecisionService":
        """The tenant's decision service, without a server."""
        from tactful.serving.bootstrap import open_tenants

        return open_tenants(self.settings, self.store).of(self.tenant)

    @property
    def champion(self) -> "Champion":
        """The models and the compiled catalogue that the service decides with at present.

        Raises:
            NotReadyError: There are none, or they have mistakes.
        """
        return self.service.champions.present()

    @property
    def catalogue(self) -> "Catalogue":
        """The catalogue in force.

        Raises:
            NotReadyError: There is none, or it has mistakes.
        """
        return self.champion.compiled.catalogue

    def events(self) -> "pd.DataFrame":
        """Every event, by customer and time.

        Returns:
            `customer_id`, `time`, `type`, `event_id`, `amount`, `discount`, `quantity`, `categories` (uint64, a bit for
            each category), `channel` and `subject` (the product, order or message); texts may be empty.

        Raises:
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.events(self.store, self.tenant)

    def contacts(self) -> "pd.DataFrame":
        """Every entry of the contact ledger, by customer and time.

        Returns:
            `contact_id` (the decision's id, where one led to it), `customer_id`, `time`, `status` (`reserved`, `sent`
            or `released`), `programme`, `message`, `channel`, `opening`, and `counts` (bool: toward caps and gaps).

        Raises:
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.contacts(self.store, self.tenant)

    def decisions(self) -> "pd.DataFrame":
        """Every decision, in the order of their moments.

        Returns:
            `decision_id`, `customer_id`, `time`, `programme`, `message` and `channel` (missing for silence),
            `priority` (the worth over silence, in currency; missing for silence), `probability` (with which the
            choice was made), `silence_probability`, `silence` (why, such as `no opening`; missing where a message was
            chosen), `stratum` (`policy`, `uniform` or `holdout`), and the versions `catalogue`, `bundle` and `kernel`.

        Raises:
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.decisions(self.store, self.tenant)

    def outcomes(self) -> "pd.DataFrame":
        """The reported outcomes of decisions, by time.

        Returns:
            `decision_id`, `customer_id`, `kind` (such as `clicked`), `time` and `value` (in currency, NaN where none
            was reported).

        Raises:
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.outcomes(self.store, self.tenant)

    def exposures(self, experiment: str) -> "pd.DataFrame":
        """The first exposure of each customer to an experiment, by time: the arms differ for them from then on.

        Args:
            experiment: Its id.

        Returns:
            `decision_id`, `customer_id`, `arm` and `time`; no row where there is no such experiment.

        Raises:
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.exposures(self.store, self.tenant, experiment)

    def customers(self) -> "pd.DataFrame":
        """Every customer as of now, by id.

        Returns:
            `customer_id`, `zone` (IANA, missing where unknown), `joined`, a column `attribute_NAME` for each attribute
            that the catalogue declares (text as str, numbers as float64, booleans as boolean, dates as ISO 8601 text;
            missing where the value does not fit its type),
            and a column `consent_CHANNEL_PURPOSE` (boolean, missing where nothing was said) for each channel and each
            purpose of a programme.

        Raises:
            NotReadyError: There is no catalogue, or it has mistakes.
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.customers(self.store, self.tenant, self.catalogue)

    def features(self, as_of: datetime | str) -> "pd.DataFrame":
        """Features of every customer as of a moment: no event at or after it counts.

        Args:
            as_of: A moment, or ISO 8601 text; UTC where it names no zone.

        Returns:
            One float64 column a feature, those of the models and those of the catalogue, NaN where it is undefined;
            indexed by `customer_id`. A customer without events has a row too.

        Raises:
            TactfulError: The text is no moment.
            NotReadyError: There is nothing to decide with.
            StoreError: The store fails.
        """
        from tactful.serving.folder import frames

        return frames.features(self.store, self.tenant, moment_of(as_of), self.catalogue)

    def decide(self, customer_id: str, *, id: str | None = None, channels: tuple[str, ...] = ()) -> "Explanation":  # noqa: A002 - the API calls it so
        """Decide about a customer as the service would now; nothing is written, no contact is reserved.

        Args:
            customer_id: Any id of the customer.
            id: Id of the decision, from which its random draws follow; another each time where None.
            channels: Only these channels; every channel where empty.

        Raises:
            UnknownCustomerError: Nothing is known of the customer.
            NotReadyError: There is nothing to decide with.
            StoreError: The store fails.
        """
        from tactful.serving.engine.queries.customers import decided_now
        from tactful.serving.folder.explanation import Explanation

        return Explanation.of(decided_now(self.service, customer_id, id or f"analysis:{uuid.uuid4().hex}", channels))

    def explain(self, decision_id: str) -> "Explanation":
        """A decision that the service made, as it was made.

        Raises:
            UnknownDecisionError: There is none of this id.
            StoreError: The store fails.
        """
        from tactful.serving.folder.explanation import Explanation

        return Explanation.of(self.service.decision(decision_id))


def open_folder(
    data: Path | str, *, tenant: str | None = None, store: str | None = None, must_exist: bool = False
) -> ServiceFolder:
    """Opens the folder of a service.

    Args:
        data: The folder, with a store, or with settings that name one; it may be missing where a store is given.
        tenant: The tenant of the customers; that of the folder's settings where None.
        store: URL of another store, `sqlite:///PATH` or `postgresql://…`; the settings' where None.
        must_exist: Whether a store that is not there is an error. It is made otherwise.

    Raises:
        SettingsError: There is no such folder, or a setting cannot be used.
        StoreError: There is no such store, or it cannot be opened.

    Example:
        >>> with open_folder("var/none") as shop:  # doctest: +IGNORE_EXCEPTION_DETAIL
        ...     shop.events()
        Traceback (most recent call last):
        tactful.serving.errors.SettingsError: no such folder: got 'var/none'
    """
    folder = Path(data)
    filled = "a folder that `tactful init` or `make demo` has filled"
    if store is None and not folder.is_dir():
        raise SettingsError("no such folder", got=str(data), wanted=filled)
    settings = Settings.of(folder, store=store)
    if must_exist and not store_exists(settings.store):
        raise SettingsError("no such store", got=settings.store, wanted=filled)
    whose = Settings.of(folder, tenant=tenant).tenant
    return ServiceFolder(settings, open_store(settings.store, settings.durability, settings.connections), whose)


def open_analysis(data: Path | str, *, tenant: str | None = None, store: str | None = None) -> ServiceFolder:
    """Opens the folder of a service for analysis; nothing that its methods do changes the data.

    Opening brings the store to the schema of this release, as every start of the service does.

    Args:
        data: The folder of a service, such as `var/demo`.
        tenant: The tenant of the customers; that of the folder's settings where None.
        store: URL of another store, `sqlite:///PATH` or `postgresql://…`; the settings' where None.

    Raises:
        SettingsError: There is no such folder or store, or a setting cannot be used.
        StoreError: The store cannot be opened.

    Example:
        >>> import tactful
        >>> with tactful.open("var/none") as shop:  # doctest: +IGNORE_EXCEPTION_DETAIL
        ...     shop.decisions().groupby("channel").size()
        Traceback (most recent call last):
        tactful.serving.errors.SettingsError: no such folder: got 'var/none'
    """
    return open_folder(data, tenant=tenant, store=store, must_exist=True)
