"""Whatever is sent to the tracking API, it answers as its description says."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given, settings

from tactful.serving.api.problems import MEDIA_TYPE


@pytest.mark.parametrize("call", ["track", "identify", "page", "screen", "group", "alias", "batch"])
def test_every_answer_is_one_that_is_described(client: httpx.Client, call: str) -> None:
    operation = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")[f"/v1/{call}"]["POST"]

    @settings(max_examples=40)
    @given(operation.as_strategy())
    def answer(case: "schemathesis.Case[Any]") -> None:
        case.headers.pop("Idempotency-Key", None)  # one key for two requests is refused, however valid both are
        told = case.call_and_validate()
        assert told.headers["content-type"] == ["application/json" if told.status_code == 200 else MEDIA_TYPE]

    answer()
