"""Network addresses."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hostname(authority: str) -> str:
    """The host of a `Host` header, without its port; an empty string where there is none, or it cannot be read.

    Example:
        >>> hostname("Shop.example:8080"), hostname("[::1]:8080"), hostname("[")
        ('shop.example', '::1', '')
    """
    try:
        return "" if set(authority) & set("@/?#\\") else urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
