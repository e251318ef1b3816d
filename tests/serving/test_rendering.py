"""Texts are rendered from what the decision was made on, within the limits of their channel."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tactful import decisions
from tactful.decisions.base.snapshot import Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.catalogue.model import Action
from tactful.decisions.loading import load_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.serving.engine.rendering import Renderer
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import UnrenderableError
from tactful.serving.store.catalogue_codec import catalogue_from_json, catalogue_to_json
from tests.serving.shop import NOW, ago

THANKS = Action("thanks", "thank_you", "email")
SHORT = Action("thanks", "thank_you_short", "sms")
WISH = Action("birthday", "happy_birthday", "email")
MISS = Action("win_back", "miss_you", "email")


@pytest.fixture
def renderer(service: DecisionService) -> Renderer:
    return service.champions.present().renderer


def customer(renderer: Renderer, features: Mapping[str, float] | None = None, **attributes: Any) -> Snapshot:
    values = tuple((features or {}).get(name, float("nan")) for name in renderer.feature_names)
    purchase = Event("purchase", ago(days=1), "e7", amount=79.6)
    return Snapshot("c1", NOW, values, contacts=(), events=(purchase,), attributes=attributes)


def test_a_text_speaks_of_the_event_that_opened_the_programme(renderer: Renderer) -> None:
    assert renderer.render(THANKS, customer(renderer), "e7") == RenderedText("Thank you", "Thank you for 80 USD.")


def test_what_is_unknown_has_a_fallback(renderer: Renderer) -> None:
    assert renderer.render(THANKS, customer(renderer)).body == "Thank you for 0 USD."
    assert renderer.render(WISH, customer(renderer)).body == "All the best, friend!"
    assert "it has been 0 days" in renderer.render(MISS, customer(renderer)).body


def test_features_and_offer_are_told(renderer: Renderer) -> None:
    body = renderer.render(MISS, customer(renderer, {"days_since_purchase": 44.7}, first_name="Ada")).body
    assert body == "Dear Ada, it has been 45 days. Take this, good for 30 days."


def test_values_are_escaped_where_the_channel_is_html_and_only_there(renderer: Renderer) -> None:
    found = customer(renderer, first_name="<b>")
    assert renderer.render(WISH, found).body == "All the best, &lt;b&gt;!"
    assert renderer.render(SHORT, found).body == "Thank you, <b>!"


def test_a_channel_without_subjects_has_none(renderer: Renderer) -> None:
    assert renderer.render(SHORT, customer(renderer)).subject is None


def test_a_text_too_long_for_its_channel_is_refused(renderer: Renderer) -> None:
    with pytest.raises(
        UnrenderableError, match=r"got '80 characters'; wanted at most 60 characters; at thanks/thank_you_short/sms"
    ):
        renderer.render(SHORT, customer(renderer, first_name="A" * 68))


def test_a_text_that_passes_a_limit_is_refused(renderer: Renderer) -> None:
    catalogue = renderer.catalogue
    endless = "{% for i in (1..2000) %}{{ i }}{% endfor %}"
    message = catalogue.message("thank_you")
    changed = message.model_copy(update={"content": message.content.model_copy(update={"body": endless})})
    programmes = tuple(
        p.model_copy(update={"messages": tuple(changed if m is message else m for m in p.messages)})
        for p in catalogue.programmes
    )
    with pytest.raises(UnrenderableError, match="does not render"):
        replace(renderer, catalogue=catalogue.model_copy(update={"programmes": programmes})).render(
            THANKS, customer(renderer)
        )


def test_a_renderer_comes_back_from_json(renderer: Renderer) -> None:
    again = Renderer(*catalogue_from_json(catalogue_to_json(renderer.catalogue, renderer.feature_names)))
    assert again.catalogue == renderer.catalogue
    assert again.feature_names == renderer.feature_names


@pytest.mark.parametrize("sort_keys", [False, True], ids=["this release", "the first release"])
def test_levels_come_back_in_their_order(*, sort_keys: bool) -> None:
    path = Path(decisions.__file__).parent / "examples" / "retail.yaml"
    retail = load_catalogue(path, Vocabulary(STANDARD.names, ("lapse",)))
    kept = catalogue_to_json(retail.catalogue, retail.vocabulary.features)
    again = Renderer(*catalogue_from_json(json.dumps(json.loads(kept), sort_keys=sort_keys)))
    assert CompiledCatalogue(again.catalogue, retail.vocabulary).version == retail.version
    assert again.catalogue.loyalty is not None
    assert list(again.catalogue.loyalty.tier.levels) == ["silver", "gold", "platinum"]


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: all@example.com", "Ada\nBcc: all@example.com", "Ada\u2028Bcc: all@example.com"]
)
def test_a_header_has_one_line(renderer: Renderer, name: str) -> None:
    catalogue = renderer.catalogue
    message = catalogue.message("happy_birthday")
    content = message.content.model_copy(update={"subject": "For {{ customer.first_name | default: 'you' }}\n\x07!"})
    changed = message.model_copy(update={"content": content})
    programmes = tuple(
        p.model_copy(update={"messages": tuple(changed if m is message else m for m in p.messages)})
        for p in catalogue.programmes
    )
    again = replace(renderer, catalogue=catalogue.model_copy(update={"programmes": programmes}))
    found = again.render(WISH, customer(renderer, first_name=name))
    assert found.subject == "For Ada Bcc: all@example.com !"
    assert found.body == "All the best, Ada Bcc: all@example.com!"
