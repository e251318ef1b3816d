"""The pages that anybody may open."""

import json
import re
from html.parser import HTMLParser

import pytest

from tactful.serving.api.pages import PATHS
from tests.serving.house import House


class Links(HTMLParser):
    """The links, loaded resources and ids of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.links |= {told["href"] or ""} if tag == "a" else set()
        self.loaded |= {told[name] or "" for name in ("src", "action") if name in told}
        self.loaded |= {told.get("href") or "" for _ in [0] if tag == "link"}
        self.ids += [told["id"] or ""] if "id" in told else []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_needs_no_key_and_loads_nothing_from_elsewhere(house: House, path: str) -> None:
    answer = house.anybody().get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Links(answer.text)
    assert page.loaded == set()
    assert "http" not in re.sub(r"urn:|https?://127\.0\.0\.1", "", " ".join(page.links))
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_every_link_leads_somewhere(house: House) -> None:
    anybody = house.anybody()
    for path in PATHS:
        page = Links(anybody.get(path).text)
        assert len(set(page.ids)) == len(page.ids)
        assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
        for link in page.links:
            assert link.startswith("#") or anybody.get(link).status_code == 200


def test_the_reference_has_every_operation_and_schema(house: House) -> None:
    anybody = house.anybody()
    document = anybody.get("/openapi.json").json()
    page = Links(anybody.get("/docs").text)
    named = {
        one["operationId"]
        for kind in ("paths", "webhooks")
        for path in document[kind].values()
        for one in path.values()
    }
    assert set(page.ids) == named | set(document["components"]["schemas"])


def test_the_pages_tell_nothing_about_the_shop(house: House) -> None:
    champion = house.tenants.of("default").champions.present()
    key = house.key("read")
    for path in PATHS:
        page = house.anybody().get(path).text
        secrets = (champion.bundle.version, champion.compiled.version, key, key.split("_")[1], str(house.tenants.store))
        assert [secret for secret in secrets if secret in page] == []


def test_pages_are_read_and_nothing_else(house: House) -> None:
    refused = house.client().post("/docs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert json.loads(refused.content)["type"] == "urn:tactful:problem:method-not-allowed"
