"""A catalogue with the names of its features as JSON, as the store keeps it beside the decisions made with it."""

import json
from operator import itemgetter

from tactful.decisions.catalogue.model import Catalogue


def catalogue_to_json(catalogue: Catalogue, features: tuple[str, ...]) -> str:
    """Returns a catalogue and the names of its features, in order, as JSON."""
    return json.dumps({"catalogue": catalogue.model_dump(mode="json"), "features": features})


def catalogue_from_json(content: str) -> tuple[Catalogue, tuple[str, ...]]:
    """Returns the catalogue and the names that `catalogue_to_json` wrote.

    The first release sorted the levels of a tier by their names; this function sorts them by their limits again.
    """
    found = json.loads(content)
    tier = (found["catalogue"].get("loyalty") or {}).get("tier")
    if tier:
        tier["levels"] = dict(sorted(tier["levels"].items(), key=itemgetter(1)))
    return Catalogue.model_validate(found["catalogue"]), tuple(found["features"])
