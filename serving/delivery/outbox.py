"""Works the outbox off: decides upon events, and tells receivers what was decided.

Both happen at least once: a process that dies in between leaves a claim that runs out. A second decision under the
same id is the first one, and a receiver that recognises duplicates by `webhook-id` takes each decision once.
"""

import json
import logging
import random
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from tactful.serving.delivery.breaker import Breaker
from tactful.serving.delivery.poster import Poster
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.records.decision_json import content
from tactful.serving.engine.wakeups import ScheduledDecision
from tactful.serving.errors import (
    ContendedError,
    DecisionConflictError,
    ErasedError,
    NotReadyError,
    ServingError,
    StoreError,
)
from tactful.serving.settings import Settings
from tactful.serving.signing.webhooks import Receivers, Webhook
from tactful.serving.store.queries import outbox
from tactful.serving.store.queries.outbox import Record, Wait
from tactful.serving.telemetry import tracing
from tactful.serving.telemetry.logs import whence
from tactful.serving.telemetry.metrics import METRICS

LEASE = timedelta(minutes=2)
"""How long whoever claims a record has for it."""
MOST_ATTEMPTS = 40
"""Then a record is given up: after about 29 hours."""
LONGEST_WAIT = timedelta(hours=1)
"""Between two attempts; the first wait is a second, each further one twice the one before."""
CLOSING = 1.0
"""Seconds for which each thread is waited for at the end; what it has claimed is there for whoever comes next."""
_HANDS = 4
_ROUNDS = {"event": 64, "decision": 2 * _HANDS}
"""How many records are claimed at a time: no more than can be dealt with while the claim lasts."""
_PAUSE = 0.5
_PASSING = (NotReadyError, StoreError, ContendedError)
_log = logging.getLogger(__name__)

Count = Callable[[str], None]
"""Told what became of a record: `delivered`, `retried`, `refused`, or `corrupt` where nobody can read it."""


@contextmanager
def dispatching(tenants: Tenants, settings: Settings) -> Iterator[None]:
    """Works the outbox off while the block runs, if the settings name a receiver."""
    receivers = settings.receivers
    if receivers == Receivers():
        yield
        return
    patience = settings.webhook_deadline.total_seconds()
    dispatcher = Dispatcher(tenants, receivers, count=lambda state: METRICS.outbox(state).inc(), patience=patience)
    dispatcher.start()
    try:
        yield
    finally:
        dispatcher.close()


class Dispatcher:
    """Works an outbox off, on a thread that decides and one for each receiver; any number of processes may do so.

    Args:
        tenants: Decide, and know the decisions.
        receivers: The receivers of decisions; one that fails or is slow delays no other.
        count: Told what became of each record.
        clock: Tells the moment.
        jitter: A number between 0 and 1, so that not everybody comes back at once.
        patience: Seconds that the receiver may take over a whole exchange.
    """

    def __init__(
        self,
        tenants: Tenants,
        receivers: Receivers,
        *,
        count: Count = lambda _state: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
        patience: float = 10.0,
    ) -> None:
        self._tenants = tenants
        self._database = tenants.store.database
        self._count = count
        self._clock = clock
        self._jitter = jitter
        self._closed = threading.Event()
        self._poster = Poster(patience)
        own = tuple(receivers.own)
        self._deliveries = [_Delivery(webhook, of=(tenant,)) for tenant, webhook in receivers.own.items()]
        if receivers.others is not None:
            self._deliveries.append(_Delivery(receivers.others, but=own))
        turns = {"decide": self.decide, **{d.webhook.url: partial(self._deliver_to, d) for d in self._deliveries}}
        self._threads = [
            threading.Thread(target=self._work, args=(turn,), name=f"outbox {name}", daemon=True)
            for name, turn in turns.items()
        ]

    def start(self) -> None:
        """Begin to work on threads of its own."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Break off deliveries without an answer, then stop; the next process delivers the rest."""
        self._closed.set()
        self._poster.close()
        for delivery in self._deliveries:
            delivery.pool.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(CLOSING)

    def decide(self) -> int:
        """Decide upon the events that are due, all of a tenant's together.

        Returns:
            How many there were.

        Raises:
            StoreError: The store fails.
        """
        records = self._claim("event", _ROUNDS["event"])
        now = self._clock()
        wakes = [(record, wake) for record in records if (wake := self._wake(record)) is not None]
        early = [(record, wake) for record, wake in wakes if wake.due > now]
        outbox.postpone(self._database, [Wait(record, wake.due, record.body) for record, wake in early])
        for tenant in {record.tenant for record in records}:
            self._decide(tenant, [pair for pair in wakes if pair[0].tenant == tenant and pair not in early], now)
        return len(records)

    def deliver(self) -> int:
        """Deliver the decisions that are due; none to a receiver that is left alone.

        Returns:
            How many there were.

        Raises:
            StoreError: The store fails.
        """
        return sum(map(self._deliver_to, self._deliveries))

    def _deliver_to(self, delivery: "_Delivery") -> int:
        allowed = delivery.breaker.allowed(_ROUNDS["decision"], self._clock())
        records = self._claim("decision", allowed, delivery.of, delivery.but) if allowed else []
        list(delivery.pool.map(partial(self._attend, delivery), records))
        return len(records)

    def _work(self, turn: Callable[[], int]) -> None:
        while not self._closed.is_set():
            try:
                busy = turn() > 0
            except Exception as error:
                _log.error("outbox failed", extra=whence(error))
                busy = False
            if not busy:
                self._closed.wait(_PAUSE)

    def _claim(self, kind: str, most: int, of: Collection[str] = (), but: Collection[str] = ()) -> list[Record]:
        return outbox.claim(self._database, kind, self._clock(), LEASE, most, of=of, but=but)

    def _wake(self, record: Record) -> ScheduledDecision | None:
        """The event of a record; a record that nobody can read is set aside alone."""
        try:
            return ScheduledDecision.from_bytes(record.body)
        except (ValueError, TypeError) as error:
            self._refuse(record, f"unreadable: {type(error).__name__}", "corrupt")
            return None

    def _decide(self, tenant: str, wakes: Sequence[tuple[Record, ScheduledDecision]], now: datetime) -> None:
        """Decide upon events at the first of their moments; for the others they wait on."""
        failures = self._failures(tenant, [wake for _, wake in wakes])
        decided = [pair for pair, failure in zip(wakes, failures, strict=True) if failure is None]
        later = [Wait(record, rest.due, rest.as_bytes()) for record, wake in decided if (rest := wake.rest)]
        outbox.postpone(self._database, later)
        outbox.done(self._database, [record for record, wake in decided if wake.rest is None], now)
        for (record, _), failure in zip(wakes, failures, strict=True):
            if failure is not None:
                self._failed(record, failure)

    def _failures(self, tenant: str, wakes: Sequence[ScheduledDecision]) -> Sequence[Exception | None]:
        """Why each could not be decided upon; what keeps all from it is the reason of each."""
        try:
            service = self._tenants.of(tenant)
            commands = [DecisionCommand(wake.customer, wake.decision, service.clock(), notify=True) for wake in wakes]
            with tracing.span("outbox.decide", events=len(commands)):
                outcomes = service.decide_many(commands)
        except Exception as error:
            return [error] * len(wakes)
        return [_failure(outcome) for outcome in outcomes]

    def _attend(self, delivery: "_Delivery", record: Record) -> None:
        """An error with one record does not affect the others."""
        try:
            with tracing.span("outbox.deliver", attempt=record.attempts):
                self._deliver(delivery, record)
        except Exception as error:
            self._failed(record, error)

    def _failed(self, record: Record, error: Exception) -> None:
        """A record waits if its error may pass or is ours; a record that will fail again is refused."""
        if isinstance(error, ServingError) and not isinstance(error, _PASSING):
            self._refuse(record, error.message)
            return
        if not isinstance(error, (*_PASSING, httpx.HTTPError)):
            _log.error("outbox record failed", extra={"record": record.id, **whence(error)})
        self._wait(record, type(error).__name__)

    def _deliver(self, delivery: "_Delivery", record: Record) -> None:
        now, body = self._clock(), self._told(record)
        headers = delivery.webhook.headers(record.id, int(now.timestamp()), body)
        status = self._posted(delivery, body, headers)
        if status == httpx.codes.GONE:
            self._refuse(record, "the receiver is gone: 410")
        elif httpx.codes.is_success(status):
            outbox.done(self._database, [record], now)
            self._count("delivered")
        else:
            self._wait(record, f"answered {status}")

    def _posted(self, delivery: "_Delivery", body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; the breaker hears whether the receiver works."""
        try:
            status = self._poster.post(delivery.webhook.url, body, headers)
        except httpx.HTTPError:
            delivery.breaker.note(False, self._clock())
            raise
        delivery.breaker.note(status < 500 and status != httpx.codes.TOO_MANY_REQUESTS, self._clock())
        return status

    def _told(self, record: Record) -> bytes:
        """The webhook's body of a decision: the same bytes each time.

        Raises:
            UnknownDecisionError: There is none of this id.
            ErasedError: Its customer was erased.
        """
        answer = self._tenants.of(record.tenant).decision(record.id)
        if answer.text is None:
            raise ErasedError("a decision whose customer was erased", got=record.id)
        document = {
            "type": "decision.made",
            "timestamp": answer.decision.moment.isoformat(),
            "tenant": record.tenant,
            "data": json.loads(content(answer)),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    def _wait(self, record: Record, reason: str) -> None:
        if record.attempts >= MOST_ATTEMPTS:
            self._refuse(record, f"given up after {record.attempts} attempts: {reason}")
            return
        told = {"record": record.id, "attempt": record.attempts, "reason": reason}
        _log.warning("outbox record waits", extra=told)
        outbox.postpone(self._database, [Wait(record, self._clock() + self._backoff(record.attempts))])
        self._count("retried")

    def _backoff(self, attempts: int) -> timedelta:
        return min(timedelta(seconds=2 ** min(attempts - 1, 20)), LONGEST_WAIT) * (0.5 + self._jitter())

    def _refuse(self, record: Record, reason: str, state: str = "refused") -> None:
        _log.error("outbox record refused", extra={"record": record.id, "reason": reason})
        outbox.refuse(self._database, record, reason)
        self._count(state)


class _Delivery:
    """Deliveries to one receiver.

    Args:
        webhook: The receiver.
        of: Its tenants; all where empty.
        but: Tenants that have receivers of their own.
    """

    def __init__(self, webhook: Webhook, of: Collection[str] = (), but: Collection[str] = ()) -> None:
        self.webhook, self.of, self.but = webhook, of, but
        self.breaker = Breaker()
        self.pool = ThreadPoolExecutor(_HANDS, "webhook")


def _failure(outcome: object) -> Exception | None:
    """The error; a conflict is none: the event was decided upon before its customer was merged into another."""
    return outcome if isinstance(outcome, Exception) and not isinstance(outcome, DecisionConflictError) else None
