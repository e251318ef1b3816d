"""The meaning of foreign messages here: the standard, and a file's changes to it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator

from tactful.decisions.base.durations import Duration
from tactful.decisions.base.values import Value
from tactful.decisions.base.yaml_text import is_consequence, line_of, read, sentence
from tactful.features.ids import PLACEHOLDER_IDS, folded
from tactful.features.vocabulary import CHANNELS
from tactful.serving.errors import SettingsError
from tactful.serving.ingestion.messages.names import STANDARD, WORDS, Meaning, key
from tactful.serving.ingestion.messages.refusal_names import refusal_of


def _meaning(value: Any) -> Any:
    """A lone word as the meaning of that type."""
    return WORDS.get(value, {"type": value}) if isinstance(value, str) else value


class Rules(Value):
    """The meaning of names of events and traits, beyond the standard.

    Args:
        events: A word of the event vocabulary, a meaning, or null for nothing, by name; goes before the standard.
        traits: The attribute a trait becomes, by the trait's name; others become the attribute of their own name.
        consents: The `channel` or `channel.purpose` that a trait of true or false concerns, by the trait's name.
        categories: The category vocabulary, in the order of the data set's; other categories are passed over.
        reach: How far back an event may lie.
        placeholder_ids: Words that are no ids of a customer, in place of those of `tactful.features.ids`.

    Example:
        >>> rules = Rules(events={"Bought": "purchase", "Product Clicked": None})
        >>> rules.meaning("bought").type, rules.meaning("Product Clicked"), rules.meaning("Order Completed").type
        ('purchase', None, 'purchase')
    """

    events: Mapping[str, Annotated[Meaning | None, BeforeValidator(_meaning)]] = {}
    traits: Mapping[str, str] = {}
    consents: Mapping[str, str] = {}
    categories: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    reach: Duration = Field(default=timedelta(days=1_095), gt=timedelta())
    placeholder_ids: tuple[str, ...] = PLACEHOLDER_IDS

    @field_validator("consents")
    @classmethod
    def _channels(cls, consents: Mapping[str, str]) -> Mapping[str, str]:
        for place in consents.values():
            if place.partition(".")[0] not in CHANNELS[1:]:
                raise ValueError(f"consent for an unknown channel; wanted one of {', '.join(CHANNELS[1:])}")
        return consents

    def meaning(self, name: str) -> Meaning | None:
        """The meaning of a track call of this name; None for none."""
        word = key(name)
        return self._meanings[word] if word in self._meanings else refusal_of(word)

    def consent(self, trait: str) -> str | None:
        """The `channel` or `channel.purpose` that a trait concerns, however its name is written; None for none."""
        return self._consents.get(key(trait)) if self.consents else None

    def is_own(self, name: str) -> bool:
        """Whether the file itself says what a name means."""
        return key(name) in self._own

    def category(self, name: str) -> int:
        """The bit of a category; none where the vocabulary lacks it."""
        return self._bits.get(name, 0)

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The placeholder ids, as `tactful.features.ids.folded` gives them."""
        return frozenset(map(folded, self.placeholder_ids))

    @cached_property
    def _meanings(self) -> dict[str, Meaning | None]:
        names = (WORDS, STANDARD, self.events)
        return {key(name): meaning for some in names for name, meaning in some.items()}

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(map(key, self.events))

    @cached_property
    def _consents(self) -> dict[str, str]:
        return {key(trait): place for trait, place in self.consents.items()}

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {name: 1 << place for place, name in enumerate(self.categories)}


def load_rules(file: Path) -> Rules:
    """The rules of a YAML file; the standard alone where there is no file.

    Raises:
        SettingsError: The file cannot be read, or says what is no rule; every mistake, each with its line.
    """
    if not file.exists():
        return Rules()
    try:
        content, lines = read(file.read_text(encoding="utf-8"))
        return Rules.model_validate({} if content is None else content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"not YAML: {error.problem}", where=f"{file}:{line}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("rules that cannot be read", got=str(error), where=file) from error
    except ValidationError as error:
        mistakes = [mistake for mistake in error.errors() if not is_consequence(mistake)]
        told = (f"{sentence(m, content, 'rules', Rules)} (line {line_of(lines, m['loc'])})" for m in mistakes)
        raise SettingsError("; ".join(told), where=file) from error
