"""Every id that can come in can be read, exported and erased by its path, and none names another route."""

import shutil
import socket
import string
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tactful.features.ids import PLACEHOLDER_IDS, canonical_id, fault_of
from tactful.serving.api.paths import segmented, unescaped
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE
from tests.serving.shop import service_of

AWKWARD = dict.fromkeys(
    (
        *(f"a{sign}b" for sign in string.punctuation + " "),
        *(sign for sign in string.punctuation if fault_of(sign, PLACEHOLDER_IDS) is None),
        *("7/export", "a/export", "//", "a//b", "/", "../7", "./7", "%2e%2e", "%2F", "7%2Fexport", "%zz", "100%"),
        *("export", "7?x=1", "7#x", "é", "客戶-7", "👩‍💻".replace("\u200d", ""), "e\u0301", "a:b@c", "x" * 200, "…"),
    )
)


@pytest.fixture(scope="module")
def url(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("paths") / "shop"
    shutil.copytree(furnished, folder)
    service = service_of(Settings.of(folder))
    with running(service) as url:
        yield url
    service.store.close()


def exchange(url: str, method: str, path: str) -> int:
    """The status of a request with this path, byte for byte; a client of HTTP would change some."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(answer.split()[1])


def track(client: httpx.Client, customer: str, name: str) -> httpx.Response:
    body = {"messageId": name, "userId": customer, "event": "Product Viewed"}
    return client.post("/v1/track", json=body, headers={"X-Strict-Mode": "1"})


@pytest.mark.parametrize(("written", "kept"), [("81.0", "81"), (" 82 ", "82"), ("83.", "83"), ("-5.00", "-5")])
def test_an_id_is_read_as_it_came_in(url: str, written: str, kept: str) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        path = f"/v1/customers/{quote(written, safe='')}"
        assert track(client, written, f"written-{kept}").status_code == 200
        assert client.get(path).json()["customer_id"] == kept
        assert client.post("/v1/decisions", json={"customer_id": written}).json()["customer_id"] == kept
        assert client.delete(path).json()["status"] == "erased"
        assert client.get(f"/v1/customers/{kept}").status_code == 404


def test_every_id_that_comes_in_can_be_read_exported_and_erased(url: str) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        for number, id_ in enumerate(AWKWARD):
            assert track(client, id_, f"m-{number}").status_code == 200, id_
        for id_ in AWKWARD:
            path = f"/v1/customers/{quote(id_, safe='')}"
            assert client.get(path).json()["customer_id"] == id_
            exported = client.get(f"{path}/export").json()
            assert (exported["customer_id"], len(exported["events"])) == (id_, 1)
        for id_ in AWKWARD:
            path = f"/v1/customers/{quote(id_, safe='')}"
            assert client.delete(path).json()["status"] == "erased"
            assert client.get(path).status_code == 404
        assert client.get("/v1/customers/leaver").status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(id_=st.text(st.sampled_from("/%.?#&;=+7e ") | st.characters(), min_size=1, max_size=12))
def test_whatever_id_tracking_takes_is_the_one_that_is_read(url: str, id_: str) -> None:
    canonical = canonical_id(f"{id_}h") or ""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        taken = track(client, canonical, f"h-{canonical}"[:200]) if canonical.isprintable() and canonical else None
        assert (taken is not None and taken.status_code == 200) == (fault_of(canonical, PLACEHOLDER_IDS) is None)
        answer = client.get(f"/v1/customers/{quote(canonical, safe='', errors='replace')}/export")
        if taken is not None and taken.status_code == 200:
            assert answer.json()["customer_id"] == canonical


def test_no_id_names_another_route_and_no_route_is_an_id(url: str) -> None:
    statuses = {
        "/v1/customers/leaver%2Fexport": 404,
        "/v1/customers/leaver%2fexport": 404,
        "/v1/customers/leaver%252Fexport": 404,
        "/v1%2Fcustomers/leaver": 404,
        "/v1/customers%2Fleaver": 404,
        "/v1/customers/x%2F..%2Fleaver": 404,
        "/v1/customers/..": 404,
        "/v1/customers/%2e%2e": 404,
        "/v1/customers//export": 404,
        "/v1/customers/%ff": 422,
        "/v1/customers/%00": 422,
        "/%76%31/customers/leaver": 200,
        "/v1/customers/lea%76er/ex%70ort": 200,
        "/health%2Flive": 404,
        "/health/%6Cive": 200,
    }
    assert {path: exchange(url, "GET", path) for path in statuses} == statuses


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_segments_are_those_that_were_sent(texts: list[str]) -> None:
    fit = [text.encode(errors="replace").decode() for text in texts]
    path = segmented("/".join(quote(text, safe="") for text in fit).encode())
    assert [unescaped(segment) for segment in path.split("/")] == fit
