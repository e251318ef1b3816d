"""Marks the examples in docstrings as code for the documentation site.

Our docstrings show examples as doctests between paragraphs. Markdown would read `>>>` as a quotation. Only the
environment of the site holds griffe, so the type checker does not know it.
"""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(?P<indent> *)>>> .*\n?(?:(?!\s*$).*\n?)*", re.MULTILINE)


class DocstringExamples(griffe.Extension):  # type: ignore[misc]
    """Puts each doctest of a docstring into a fenced block."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Changes the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Returns a docstring with each doctest in a fenced block."""
    return _EXAMPLE.sub(lambda match: f"{match['indent']}```pycon\n{match[0].rstrip()}\n{match['indent']}```\n", text)
