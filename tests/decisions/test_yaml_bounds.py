"""A text that is made to grow is refused, with the line at which it does."""

import pytest

from tactful.decisions.base.yaml_text import DEEPEST, MOST_PLACES
from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.decisions.loading import inspect_catalogue
from tactful.features.definitions.standard import STANDARD

SIZE = 200_000
DOUBLED = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]" for n in range(12))
MERGED = "a0: &a0 {x: 1}\n" + "\n".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 20)}]" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("catalogue: x\nbase: &b {a: 1}\nother:\n  <<: *b\n", 4, "a merge key (`<<`)"),
        ("catalogue: x\nother:\n  !!merge k: {a: 1}\n", 3, "a merge key (`<<`)"),
        (MERGED, 3, "a merge key (`<<`)"),
        (DOUBLED, 6, f"more than {MOST_PLACES} entries"),
        ("a: &a [*a]", 1, f"nested more than {DEEPEST} deep"),
        ("catalogue: x\ny: " + "[" * SIZE, 2, f"nested more than {DEEPEST} deep"),
        ("catalogue: x\ny: " + "{a: " * (SIZE // 4), 2, f"nested more than {DEEPEST} deep"),
        ("- " * (SIZE // 2), 1, f"nested more than {DEEPEST} deep"),
    ],
)
def test_a_text_that_grows_is_refused_with_its_line(text: str, line: int, problem: str) -> None:
    catalogue, (finding,) = inspect_catalogue(text, Vocabulary(STANDARD.names), "c.yaml")
    assert catalogue is None
    assert finding.line == line
    assert problem in finding.message


def test_a_text_may_use_an_alias() -> None:
    _, findings = inspect_catalogue("catalogue: &n x\nother: *n\n", Vocabulary(STANDARD.names), "c.yaml")
    assert not [finding for finding in findings if "not YAML" in finding.message]
