"""Counts messages that are refused, left out in part or unmapped, for the operator: in the store, the log and health.

Counting costs a request no transaction: a thread adds what was counted to the store each second, and writes a line to
the log each minute. A process that is killed loses the counts of a second, and no message.
"""

import logging
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from tactful.serving.errors import StoreError
from tactful.serving.ingestion.intake import MessageResult
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.store.database import Database
from tactful.serving.store.queries import refused
from tactful.serving.store.queries.refused import Refused

MOST_AT_ONCE = 500
"""Kinds of messages that are counted between two additions; those beyond are counted without their names."""
OTHERS = "(other names)"
UNDECLARED = "undeclared"
"""What traits are counted as that no attribute of the catalogue takes."""
_SECONDS = 1.0
_ROUNDS_OF_A_LINE = 60
_LONGEST_NAME = 60
_LONGEST_REASON = 200
_PERSONAL = re.compile(r"\S*@\S*|\+?\d[\d ()./-]{2,}|[0-9a-fA-F]{8}[0-9a-fA-F-]*")
_log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def impersonal(name: str) -> str:
    """A name without addresses, numbers of three or more digits and ids, and cut.

    Example:
        >>> impersonal("Order 10023 of ada@shop.example opened")
        'Order … of … opened'
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in name[: 4 * _LONGEST_NAME])
    return _PERSONAL.sub("… ", printable).replace("…  ", "… ").strip()[:_LONGEST_NAME]


class RefusedLog:
    """Counts refused messages of every tenant.

    Args:
        database: Where the counts are kept.
        clock: Tells the moment.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[Refused]] = defaultdict(Counter)
        self._minute: dict[str, Counter[Refused]] = defaultdict(Counter)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="refused", daemon=True)

    def start(self) -> None:
        """Begin to add and to log on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Add and log what was counted, then stop."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()
        self.log()

    def note(self, tenant: str, key: str, told: Iterable[MessageResult]) -> None:
        """Count those messages that were not kept, or not as a whole.

        Args:
            tenant: The tenant of the messages.
            key: The id of the key that sent them.
            told: The result of each.
        """
        found = [alike for one in told for alike in _kinds(one, key)]
        if not found:
            return
        with self._lock:
            counts = self._counts[tenant]
            for alike in found:
                is_new = alike not in counts and len(counts) >= MOST_AT_ONCE
                counts[alike._replace(name=OTHERS, reason="") if is_new else alike] += 1

    def flush(self) -> None:
        """Add what was counted to the store; what cannot be added now is added the next time."""
        with self._lock:
            taken, self._counts = self._counts, defaultdict(Counter)
        for tenant, counts in taken.items():
            try:
                refused.add(self._database, tenant, counts, self._clock())
            except StoreError as error:
                _log.warning("refused messages not counted in the store", extra={"reason": error.message})
                with self._lock:
                    self._counts[tenant].update(counts)
            else:
                self._minute[tenant].update(counts)

    def log(self) -> None:
        """Write a line for each tenant of which messages were refused since the last one."""
        taken, self._minute = self._minute, defaultdict(Counter)
        for tenant, counts in taken.items():
            fates: Counter[str] = Counter()
            for alike, count in counts.items():
                fates[alike.fate] += count
            (most, count), *_ = counts.most_common(1)
            _log.warning(
                "messages refused",
                extra={"tenant": tenant, "fates": dict(fates), "most": {**most._asdict(), "count": count}},
            )

    def _work(self) -> None:
        rounds = 0
        while not self._closed.wait(_SECONDS):
            rounds += 1
            self.flush()
            if rounds % _ROUNDS_OF_A_LINE == 0:
                self.log()


def _kinds(told: MessageResult, key: str) -> Iterator[Refused]:
    """The counted faults of a message: that it was not kept as a whole, and each attribute that is not declared."""
    if told.fate.refused or told.fate is MessageStatus.UNMAPPED:
        yield Refused(told.fate.value, impersonal(told.name), told.reason[:_LONGEST_REASON], key)
    for name in told.undeclared:
        yield Refused(UNDECLARED, f"trait {impersonal(name)}", "the catalogue declares no such attribute", key)
