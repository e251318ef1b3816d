"""The address of a service, and the headers of every request to it."""

import httpx

from tactful.serving.client.errors import ClientError


def service_at(url: str) -> httpx.URL:
    """The address of a service.

    Raises:
        ClientError: It is no address.

    Example:
        >>> service_at("localhost:8080")
        Traceback (most recent call last):
        tactful.serving.client.errors.ClientError: not an address: got 'localhost:8080'; wanted http://HOST:PORT or https://HOST
    """
    wanted = "http://HOST:PORT or https://HOST"
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ClientError("not an address", got=url, wanted=wanted) from error
    if address.scheme not in ("http", "https") or not address.host:
        raise ClientError("not an address", got=url, wanted=wanted)
    return address


def headers_of(key: str | None) -> dict[str, str]:
    """The headers of every request, with the caller's key.

    Raises:
        ClientError: The key cannot be sent, as `header` says.
    """
    named = {"User-Agent": "tactful-python", "Accept": "application/json, application/yaml"}
    return named if key is None else {**named, **header("Authorization", f"Bearer {key}")}


def header(name: str, value: str) -> dict[str, str]:
    """A header of a request.

    Raises:
        ClientError: The value cannot be sent; it is not shown, since it may be a secret.

    Example:
        >>> header("Idempotency-Key", "order 7")
        {'Idempotency-Key': 'order 7'}
    """
    if not value or not value.isascii() or not value.isprintable():
        raise ClientError("a value that cannot be sent", wanted="printable ASCII characters", where=f"header {name}")
    return {name: value}
