"""The one rule for ids of customers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.ids import LONGEST_ID, PLACEHOLDER_IDS, canonical_id, fault_of, folded


@pytest.mark.parametrize("word", PLACEHOLDER_IDS)
def test_every_word_of_the_list_is_refused_however_it_is_dressed(word: str) -> None:
    assert folded(word) == word
    for dressed in (word.upper(), f"[{word}]", f'"{word}"', f"<{word}>", f"{{{{{word}}}}}", f" {word} "):
        assert fault_of(dressed, PLACEHOLDER_IDS) is not None
    assert fault_of(word, ()) is None


@given(st.text(max_size=300))
def test_an_id_is_its_own_canonical_form_and_fit_or_faulty_in_words(text: str) -> None:
    once = canonical_id(text)
    assert once is not None
    assert canonical_id(once) == once
    if fault_of(once, PLACEHOLDER_IDS) is None:
        assert 0 < len(once) <= LONGEST_ID
        assert once.isprintable()
        assert once == once.strip()


@pytest.mark.parametrize("value", [True, None, [], {}, float("nan"), float("inf"), 2.0**53, 0.5, b"7"])
def test_what_is_neither_text_nor_a_whole_number_is_no_id(value: object) -> None:
    assert canonical_id(value) is None
