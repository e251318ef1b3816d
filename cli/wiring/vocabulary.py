"""The names that a catalogue may use in a service's folder."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tactful.cli.console import console

if TYPE_CHECKING:
    from tactful.decisions.catalogue.compiled import Vocabulary


def vocabulary_for(data: Path, text: str) -> "Vocabulary":
    """The names that a catalogue may use: those of the service's models or, without models, the standard ones."""
    from tactful.features.definitions.standard import STANDARD
    from tactful.serving.engine.in_force.pointer import is_first, names_of, vocabulary
    from tactful.serving.settings import Settings

    champion = Settings.of(data).champion
    known = vocabulary(names_of(champion, STANDARD))
    if is_first(champion):
        told = "the standard features, the scores that training can give, and any figures of offers"
        console(stderr=True).print(f"{champion}: no models yet; the catalogue may name {told}", soft_wrap=True)
        return replace(known, offers=_figures(text))
    return known


def _figures(text: str) -> dict[str, None]:
    """The figures of every offer in a catalogue, each of any value; none where the text is not YAML."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return dict.fromkeys(str(name) for offer in _offers(content) for name in offer)


def _offers(content: Any) -> "Iterator[Mapping[Any, Any]]":
    if isinstance(content, dict):
        offer = content.get("offer")
        yield from [offer] if isinstance(offer, dict) else []
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    for part in inner:
        yield from _offers(part)
