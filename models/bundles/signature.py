"""Signatures of manifests: without the key, nobody can make a bundle that a service accepts."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from tactful.models.base.errors import BundleError

KEY = "TACTFUL_BUNDLE_KEY"
"""The environment variable of the key, for training and serving alike; bundles are unsigned where it is not set."""
SHORTEST = 32
"""Bytes of the shortest key."""
_OUTSIDE = ("version", "signature")


def contents(manifest: Mapping[str, Any]) -> bytes:
    """The content behind a manifest's version and its signature: everything besides the two."""
    kept = {name: value for name, value in manifest.items() if name not in _OUTSIDE}
    return json.dumps(kept, sort_keys=True, allow_nan=False).encode()


def signature(manifest: Mapping[str, Any]) -> str | None:
    """HMAC-SHA256 of a manifest with the key of the environment, in hex; None where there is no key.

    Raises:
        BundleError: The key is too short.
    """
    key = os.environ.get(KEY, "").encode()
    if not key:
        return None
    if len(key) < SHORTEST:
        raise BundleError("a key that is too short", got=len(key), wanted=f"{SHORTEST} bytes", where=KEY)
    return hmac.new(key, contents(manifest), hashlib.sha256).hexdigest()


def check_signature(manifest: Mapping[str, Any], where: object) -> None:
    """Find out whether a manifest was signed with the key of the environment, where there is one.

    Raises:
        BundleError: It was not.
    """
    wanted = signature(manifest)
    if wanted is None:
        return
    found = manifest.get("signature")
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), wanted.encode()):
        raise BundleError(
            "a bundle of an unknown author",
            got="no signature" if found is None else "a signature by another key",
            wanted=f"one by the key in {KEY}: train again with that key set, or unset it to take unsigned bundles",
            where=where,
        )
