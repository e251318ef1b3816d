"""Bodies are bounded before they are inflated, and parsed without surprises."""

import gzip
import json
import math
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.serving.ingestion.bodies import LARGEST, inflated, of_rudderstack, parsed, size
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError


@given(st.binary(max_size=2_000))
def test_what_was_compressed_comes_back(content: bytes) -> None:
    assert inflated(gzip.compress(content, mtime=0), "gzip") == inflated(content, "") == content


def test_a_bomb_is_refused_before_it_is_held() -> None:
    bomb = gzip.compress(bytes(100 * LARGEST), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(UnfitMessageError, match="too large: wanted at most 4194304 bytes") as refused:
        inflated(bomb, "gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.fate is MessageStatus.OVERSIZED
    assert peak < 4 * LARGEST


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (b"no gzip", "gzip", "not gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", "not one whole gzip stream"),
        (gzip.compress(b"{}", mtime=0) + b"x", "gzip", "not one whole gzip stream"),
        (zlib.compress(b"{}"), "gzip", "not gzip"),
        (b"{}", "br", "an encoding that cannot be read"),
    ],
)
def test_what_is_not_what_it_claims_is_refused(body: bytes, encoding: str, says: str) -> None:
    with pytest.raises(UnfitMessageError, match=says):
        inflated(body, encoding)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "not JSON"),
        (b'\xff{"a": 1}', "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" * 90_000, "nested too deeply"),
        (b"[" * 1_000_000, "too many parts"),
    ],
)
def test_what_is_no_json_object_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(UnfitMessageError, match=says):
        parsed(content)


def test_a_number_that_no_json_has_spoils_no_body() -> None:
    assert math.isnan(parsed(b'{"a": NaN}')["a"])
    assert parsed(b'{"a": -Infinity}') == {"a": -math.inf}


def test_a_message_is_as_large_as_its_compact_json() -> None:
    assert size(json.loads('{ "a" : "é" }')) == len('{"a":"é"}'.encode())
    with pytest.raises(UnfitMessageError, match="not Unicode"):
        size({"a": "\ud800"})


def test_rudderstacks_batches_are_told_by_the_channel_of_their_messages() -> None:
    assert of_rudderstack({}, [{"channel": "server"}])
    assert not of_rudderstack({"writeKey": "k"}, [{"channel": "server"}])
    assert not of_rudderstack({}, [{"event": "x"}])
    assert not of_rudderstack({}, [])
