"""A client of its own process, to be killed while it writes."""

from collections.abc import Sequence

from tactful.serving.bootstrap import open_store
from tactful.serving.store.port import Draft


def write(url: str, tenant: str, drafts: Sequence[Draft]) -> None:
    """Records the drafts."""
    store = open_store(url)
    store.record(tenant, drafts)
    store.close()
