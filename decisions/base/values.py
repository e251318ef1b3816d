"""The base of every part of a catalogue: frozen values that validate and describe themselves."""

import inspect
import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {8,}\S.*)*)", re.MULTILINE)
_SECTION = re.compile(r"\n\n(?:Args|Example|Raises|Attributes):\n")


class Value(BaseModel):
    """A frozen value that validates itself and takes no unknown field and no number that is not finite.

    Its JSON schema describes each field in the words of the docstring.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The JSON schema, with a description of the value and of each of its fields."""
        schema = handler(core_schema)
        found = handler.resolve_ref_schema(schema)
        found["description"] = _summary(cls)
        for name, field in found.get("properties", {}).items():
            field.update(_described(cls, name))
        return schema


def as_tuple(value: Any) -> Any:
    """A lone name as a tuple of one."""
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple, json_schema_input_type=str | tuple[str, ...])]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names the known name nearest to an unknown one, or an empty string where none is near.

    Example:
        >>> did_you_mean("features.days_since_purchse", ["features.days_since_purchase", "scores.lapse"])
        '; did you mean features.days_since_purchase?'
    """
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {nearest[0]}?" if nearest else ""


@cache
def _summary(cls: type) -> str:
    return " ".join(_SECTION.split(inspect.cleandoc(cls.__doc__ or ""))[0].split())


def _described(cls: type, name: str) -> dict[str, str]:
    """The description of a field, from the first class of the hierarchy whose docstring has it; a kind is its class."""
    if name == "kind":
        return {"description": _summary(cls)}
    for owner in cls.__mro__:
        for argument, text in _ARGUMENT.findall(inspect.cleandoc(owner.__doc__ or "")):
            if argument == name:
                return {"description": " ".join(text.split())}
    return {}
