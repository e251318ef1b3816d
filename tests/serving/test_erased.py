"""After an erasure no file of the service's folder names the person: store, log, partitions, archives, kept answers."""

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pyarrow.parquet as pq

from tactful.serving.engine.records.export import export_events
from tactful.serving.settings import Settings
from tactful.serving.store.admin.backup import backup
from tests.serving.house import open_house
from tests.serving.shop import NOW

ID, DEVICE, NAME, MAIL = "zerlina-7731", "device-zq-55", "Zerlinaq", "zq@example.org"
WORDS = (ID, DEVICE, NAME, MAIL)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, as it is and, where it is packed, unpacked."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = file.read_bytes()
        yield file.name, raw
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as parts:
                yield from ((f"{file.name}:{name}", parts.read(name)) for name in parts.namelist())
        if file.suffix == ".parquet":
            yield f"{file.name} as rows", json.dumps(pq.read_table(file).to_pylist(), default=str).encode()
        for start in range(len(raw)):
            if raw[start : start + 2] == b"\x78\x01" and (unpacked := unzipped(raw[start:])):
                yield f"{file.name} at {start}", unpacked


def unzipped(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, 1_000_000)
    except zlib.error:
        return b""


def named(folder: Path) -> set[tuple[str, str]]:
    """The files that hold a word of the person, each with the word, however it is written."""
    forms = {word: {word, quote(word, safe=""), json.dumps(word)[1:-1]} for word in WORDS}
    return {
        (file, word)
        for file, content in contents(folder)
        for word, some in forms.items()
        if any(form.encode() in content for form in some)
    }


def live(client: httpx.Client) -> None:
    """The person leaves traces in everything that the service keeps."""
    traits = {"first_name": NAME, "consents": {"email": True}}
    sent = [
        {"type": "identify", "userId": ID, "anonymousId": DEVICE, "messageId": f"of {MAIL}", "traits": traits},
        {"type": "track", "userId": ID, "messageId": f"{ID}:1", "event": "Order Completed",
         "timestamp": NOW.isoformat(), "properties": {"revenue": 80, "order_id": f"order of {ID}"}},
        {"type": "track", "anonymousId": DEVICE, "messageId": "m-3", "event": "Button Pressed"},
    ]  # fmt: skip
    client.post("/v1/batch", json={"batch": sent}).raise_for_status()
    again = {"Idempotency-Key": f"key of {ID}"}
    made = client.post("/v1/decisions", json={"customer_id": ID, "id": f"d-{ID}"}, headers=again).raise_for_status()
    assert made.json()["choice"] is not None
    client.post("/v1/what-if", json={"customer_id": ID}, headers={"Idempotency-Key": "k2"}).raise_for_status()
    client.get(f"/v1/customers/{ID}/export").raise_for_status()


def test_no_file_names_an_erased_person(shop: Settings) -> None:
    with open_house(shop) as house:
        client = house.client()
        live(client)
        store = house.tenants.store
        shutil.rmtree(shop.data / "events")
        export_events(store, "default", shop.data / "events")
        assert {word for _, word in named(shop.data)} >= {ID, NAME}, "the person is there before"
        answer = client.delete(f"/v1/customers/{ID}").raise_for_status().json()
        assert answer["log_emptied"]
        backup(store.database, shop.data / "archive.zip", NOW)
        assert named(shop.data) == set()
    assert named(shop.data) == set(), "after the end of the service"
