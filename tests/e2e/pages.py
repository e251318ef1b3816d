"""Pages that send with the clients of Segment and RudderStack, and the browser that shows them."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.node import packages

CLIENTS = Path(__file__).parent / "clients"
SCRIPTS = {
    "segment.js": "@segment/analytics-next/dist/umd/index.js",
    "rudderstack.js": "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
}
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def page_server(folder: Path) -> Iterator[str]:
    """The origin of a shop's pages, which load the clients, while the block runs.

    Args:
        folder: An empty folder for the pages.
    """
    modules = packages(CLIENTS) / "node_modules"
    for name, source in SCRIPTS.items():
        shutil.copy(modules / source, folder / name)
        (folder / f"{name}.html").write_text(f"<!doctype html><title>shop</title><script src={name}></script>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, name="pages")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of Chromium; the test is skipped where Chromium is not installed."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium at /usr/bin/chromium: apt-get install --yes chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser.new_page()
        finally:
            browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing."""
