"""Catalogues that would cost much to read are refused with an error, not read."""

import pytest

from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.decisions.loading import MOST_MISTAKES, inspect_catalogue

MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12)
)
ALIASES = "a: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MERGES, "a merge key (`<<`): write its entries out"),
        (ALIASES, "more than 200000 entries, those of aliases counted each time"),
        ("x: " + "[" * 100_000, "nested more than 50 deep"),
        ("x: " + "[" * 100_000 + "]" * 100_000, "nested more than 50 deep"),
        ("".join(" " * n + "a:\n" for n in range(600)), "nested more than 50 deep"),
    ],
    ids=["merges of merges", "aliases of aliases", "open nest", "closed nest", "nest of blocks"],
)
def test_a_text_that_grows_without_bound_is_refused_whole(text: str, message: str) -> None:
    catalogue, (finding,) = inspect_catalogue(text, Vocabulary((), ()), "shop.yaml")
    assert catalogue is None
    assert message in finding.message


def test_a_merge_key_is_named_with_its_line() -> None:
    _, (finding,) = inspect_catalogue("base: &base {a: 1}\nother:\n  <<: *base\n", Vocabulary((), ()), "shop.yaml")
    assert (finding.line, finding.severity) == (3, "error")


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\ufffe"])
def test_a_character_that_yaml_does_not_allow_is_named_with_its_line(character: str) -> None:
    _, (finding,) = inspect_catalogue(f"catalogue: c\ncurrency: '{character}'\n", Vocabulary((), ()), "shop.yaml")
    assert (finding.line, finding.message.partition(":")[0]) == (2, "not YAML")


def test_a_quoted_name_is_no_merge_key() -> None:
    _, findings = inspect_catalogue('catalogue: c\n"<<": 1\n', Vocabulary((), ()), "shop.yaml")
    assert not any("merge" in finding.message for finding in findings)


def test_a_file_with_thousands_of_mistakes_lists_the_first_of_them() -> None:
    text = "".join(f"k{n}: 1\n" for n in range(20_000))
    catalogue, findings = inspect_catalogue(text, Vocabulary((), ()), "shop.yaml")
    assert catalogue is None
    assert len(findings) == MOST_MISTAKES + 1
    assert findings[-1].message.endswith("more mistakes from here on")


def test_a_number_of_thousands_of_digits_is_no_number() -> None:
    _, findings = inspect_catalogue(f"catalogue: {'9' * 9_000}\n", Vocabulary((), ()), "shop.yaml")
    assert not any(finding.message.startswith("not YAML") for finding in findings)
