"""Tactful: the best message for this customer at this moment, on the best channel, or silence.

The names below are the public surface; each module that one comes from is loaded when it is first used, so
`import tactful` costs nothing.

- `open`: a service's folder, for analysis; it gives a `ServiceFolder`, whose decisions are `Explanation`s.
- `Client`, `AsyncClient`: a service over HTTP; its problems are `ClientError`s.
- `load_catalogue`, `Vocabulary`: a catalogue from YAML, and the names that its conditions may use.
- `decide`: decisions about snapshots of customers, without a service.
- `open_events`, `build`, `FeatureSet`, `STANDARD`: histories of events, and features as of a moment.
- `EffectModel`: what a message changes, learned from logged decisions.
- `Experiment`: an experiment, declared before it starts.
- `TactfulError`: the root of every error.

Example:
    >>> import tactful
    >>> names = tactful.Vocabulary(tactful.STANDARD.names, scores=("lapse",))
    >>> tactful.load_catalogue("decisions/examples/retail.yaml", names).catalogue.currency
    'GBP'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tactful.decisions.catalogue.compiled import Vocabulary
    from tactful.decisions.kernel.decide import decide
    from tactful.decisions.loading import load_catalogue
    from tactful.experiments.design.declaration import Experiment
    from tactful.features.build import build
    from tactful.features.definitions.definitions import FeatureSet
    from tactful.features.definitions.standard import STANDARD
    from tactful.features.errors import TactfulError
    from tactful.features.events.dataset import open_events
    from tactful.models.effects.model import EffectModel
    from tactful.serving.client.asynchronous import AsyncClient
    from tactful.serving.client.errors import ClientError
    from tactful.serving.client.synchronous import Client
    from tactful.serving.folder.explanation import Explanation
    from tactful.serving.folder.service_folder import ServiceFolder
    from tactful.serving.folder.service_folder import open_analysis as open  # noqa: A004 - as in gzip and tarfile

__all__ = [
    "STANDARD",
    "AsyncClient",
    "Client",
    "ClientError",
    "EffectModel",
    "Experiment",
    "Explanation",
    "FeatureSet",
    "ServiceFolder",
    "TactfulError",
    "Vocabulary",
    "build",
    "decide",
    "load_catalogue",
    "open",
    "open_events",
]

_PLACES = {
    "STANDARD": "features.definitions.standard",
    "AsyncClient": "serving.client.asynchronous",
    "Client": "serving.client.synchronous",
    "ClientError": "serving.client.errors",
    "EffectModel": "models.effects.model",
    "Experiment": "experiments.design.declaration",
    "Explanation": "serving.folder.explanation",
    "FeatureSet": "features.definitions.definitions",
    "ServiceFolder": "serving.folder.service_folder",
    "TactfulError": "features.errors",
    "Vocabulary": "decisions.catalogue.compiled",
    "build": "features.build",
    "decide": "decisions.kernel.decide",
    "load_catalogue": "decisions.loading",
    "open": "serving.folder.service_folder",
    "open_events": "features.events.dataset",
}
_OTHERWISE = {"open": "open_analysis"}
"""Names that are others in their modules."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), _OTHERWISE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
