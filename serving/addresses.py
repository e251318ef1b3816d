"""Network addresses."""

import ipaddress


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
