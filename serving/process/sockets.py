"""Sockets that listen."""

import socket

from tactful.serving.errors import ServingError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: Address.
        port: Port; 0 takes a free one.

    Raises:
        ServingError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming the protocol lets asyncio see that it is TCP and send small answers without delay.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ServingError(
            "cannot listen", got=error.strerror, wanted="another host or port", where=f"{host}:{port}"
        ) from error
    return listening


def address(listening: socket.socket) -> str:
    """The URL that a listening socket is reached at."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
