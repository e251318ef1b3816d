"""A retailer of generated customers: the retail catalogue and two real models, in memory or to serve from.

Each message bears an offer, so that every survivor is scored. The models have 200 trees with 31 leaves and are fitted
to outcomes made from noise: they cost what real ones cost and mean nothing.
"""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tactful import decisions
from tactful.decisions.base.snapshot import Contact
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.loading import load_catalogue
from tactful.experiments.samples.customers import END, ZONE, Customers
from tactful.features.build import build_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.models.base.calibration import Identity
from tactful.models.base.gbm import Parameters, fit
from tactful.models.bundles.bundle import Bundle, export, load
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.serving.store.port import History, Profile, Store, from_micros

MOMENT = END + timedelta(hours=17)
"""When decisions are made: in the evening after the histories end."""
TREES = Parameters(rounds=200, leaves=31, leaf_rows=20, learning_rate=0.05)
KINDS = ("points", "coupon", "news")


def retail() -> CompiledCatalogue:
    """The retail example, each message with an offer."""
    vocabulary = Vocabulary(STANDARD.names, ("lapse",), {"kind": KINDS})
    path = Path(decisions.__file__).parent / "examples" / "retail.yaml"
    content = load_catalogue(path, vocabulary).catalogue.model_dump()
    for programme in content["programmes"]:
        for number, message in enumerate(programme["messages"]):
            message["offer"] = {"kind": KINDS[number % len(KINDS)]}
    return CompiledCatalogue(Catalogue.model_validate(content), vocabulary)


def models(features: np.ndarray[Any, Any]) -> Bundle:
    """The lapse risk of a customer, and the response to an action, fitted to resampled rows of features."""
    with tempfile.TemporaryDirectory() as scratch:
        _export(Path(scratch) / "bundle", features)
        return load(Path(scratch) / "bundle", fingerprint=STANDARD.fingerprint)


def furnish(folder: Path, customers: Customers) -> None:
    """A folder to serve from: the catalogue, the champion, and a clock that is fixed at the moment."""
    ids = [profile.customer for profile in customers.profiles[:2_000]]
    _export(folder / "champion", build_pairs(customers.events, ids, [MOMENT] * len(ids)).values)
    catalogue = retail().catalogue.model_dump(mode="json", exclude_none=True)
    (folder / "catalogue.yaml").write_text(yaml.safe_dump(catalogue, sort_keys=False), encoding="utf-8")
    (folder / "tactful.env").write_text(f"TACTFUL_NOW={MOMENT.isoformat()}\n", encoding="utf-8")


def stock(store: Store, customers: Customers, tenant: str = "default") -> None:
    """Loads the customers into a store, with the contacts of their histories in its ledger."""
    rows = list(_rows(customers))
    profiles = [
        Profile(p.customer, p.zone, p.joined, {name: _plain(v) for name, v in p.attributes.items()}, p.consents)
        for p in customers.profiles
    ]
    contact = EVENT_TYPES.index("contact")
    contacts = (
        (who, Contact(from_micros(time), CHANNELS[channel], message=subject, id=id_))
        for who, (time, kind, channel, *_, subject, id_, _) in rows
        if kind == contact
    )
    store.load(tenant, History(ZONE, END, profiles, rows, contacts))


def _export(folder: Path, features: np.ndarray[Any, Any]) -> None:
    rng = np.random.default_rng(3)
    rows = features[rng.integers(0, len(features), 20_000)]
    rows = rows * rng.uniform(0.8, 1.2, rows.shape)
    outcome = rng.random(len(rows)) < 1 / (1 + np.exp(-rng.normal(size=len(rows)) - np.nan_to_num(rows[:, 0]) / 50))
    action = ActionFeature("kind", KINDS)
    kinds = rng.integers(0, len(KINDS), (len(rows), 1)).astype(float)
    columns = tuple(STANDARD.names)
    lapse = FittedModel(fit(rows, outcome, columns, TREES), Identity(), False, (), "", {})
    trees = fit(np.hstack([rows, kinds]), outcome, (*columns, action.name), TREES, categorical=(action.name,))
    response = FittedModel(trees, Identity(), True, (action,), "", {})
    export(folder, {"lapse": lapse, "response": response}, STANDARD)


def _rows(customers: Customers) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each event as its customer and a tuple like `StoredEvent`."""
    table = customers.table.sort_values(["customer_id", "time"], kind="stable")
    columns = (
        table["time"].astype("int64").tolist(),
        [EVENT_TYPES.index(name) for name in table["type"]],
        [CHANNELS.index(name) for name in table["channel"]],
        *(table[name].tolist() for name in ("amount", "discount", "quantity")),
        table["categories"].to_numpy().view(np.int64).tolist(),
        *(table[name].tolist() for name in ("subject", "event_id")),
    )
    return ((who, (*row, "")) for who, *row in zip(table["customer_id"], *columns, strict=True))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
