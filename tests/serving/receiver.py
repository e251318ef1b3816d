"""A receiver of webhooks: real HTTP, and as unreliable as it is told to be."""

import hmac
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA"
DRIPS = 400
KEY = b64decode(SECRET.removeprefix("whsec_"))


@dataclass
class Receiver:
    """What came in, and how to answer what comes next.

    Args:
        url: Its address.
        answers: Statuses of the next answers; `cut` closes the connection, `hang` never answers,
            `drip` sends the head of its answer byte by byte; then 200.
        heard: The id and body of each message whose signature was right.
        forged: Messages whose signature was not.
        pause: Seconds between two bytes of an answer that drips.
        asked: Released at each message, before it is answered.
    """

    url: str
    answers: list[int | str] = field(default_factory=list)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    pause: float = 0.05
    over: threading.Event = field(default_factory=threading.Event)

    def hear(self, headers: Any, body: bytes) -> int | str:
        id_, moment = headers["webhook-id"], headers["webhook-timestamp"]
        right = b64encode(hmac.digest(KEY, f"{id_}.{moment}.".encode() + body, sha256)).decode()
        if f"v1,{right}" in (headers["webhook-signature"] or "").split():
            self.heard.append((id_, body))
        else:
            self.forged.append(id_)
        self.asked.release()
        return self.answers.pop(0) if self.answers else 200


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = receiver.hear(self.headers, self.rfile.read(int(self.headers["content-length"])))
            if answer == "hang":
                receiver.over.wait()
            elif answer == "drip":
                self.drip()
            elif isinstance(answer, int):
                self.send_response(answer)
                self.send_header("content-length", "0")
                self.end_headers()

        def drip(self) -> None:
            """A good answer, a byte at a time; whoever waits for its end waits for `DRIPS` pauses."""
            for byte in b"HTTP/1.1 200 OK\r\nx-drip: ".ljust(DRIPS, b".") + b"\r\n\r\n":
                with suppress(OSError):
                    self.wfile.write(bytes([byte]))
                if receiver.over.wait(receiver.pause):
                    return

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/decisions")
    thread = threading.Thread(target=server.serve_forever, name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
