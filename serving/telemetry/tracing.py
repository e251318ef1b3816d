"""Traces by OpenTelemetry, to a collector that speaks OTLP over HTTP.

Until `start` was called no exporter is loaded, and a span costs a comparison. Spans tell methods, routes,
states and counts; no id of a customer or decision, and no text of an error.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

_tracer: "Tracer | None" = None


def start(endpoint: str) -> Callable[[], None]:
    """Trace from now on.

    Args:
        endpoint: The collector, such as `http://127.0.0.1:4318`; where empty, what OpenTelemetry's own variables say.

    Returns:
        Sends what is left and ends tracing.
    """
    global _tracer
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = Resource.create({"service.name": "tactful", "service.version": version("tactful")})
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(_address(endpoint))))
    _tracer = provider.get_tracer("tactful")

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return stop


def span(name: str, **attributes: Any) -> "AbstractContextManager[Span | None]":
    """A piece of work inside the present one.

    Args:
        name: The name of the work.
        attributes: Its attributes; underscores in names become dots.
    """
    return _started(name, None, (), attributes) if _tracer else nullcontext()


def request(method: str, headers: Mapping[bytes, bytes]) -> "AbstractContextManager[Span | None]":
    """The answer to a request; it belongs to the caller's trace where its headers name one.

    Args:
        method: The method, which the span is called by until its route is known.
        headers: The headers of the request.
    """
    if _tracer is None:
        return nullcontext()
    from opentelemetry.propagate import extract

    told = {
        name: headers[name.encode()].decode("latin-1")
        for name in ("traceparent", "tracestate")
        if name.encode() in headers
    }
    return _started(method, extract(told), (), {}, server=True)


def here() -> "Context | None":
    """The present piece of work, for another thread to go on with."""
    if _tracer is None:
        return None
    from opentelemetry.context import get_current

    return get_current()


def together(name: str, works: "Sequence[Context | None]", **attributes: Any) -> "AbstractContextManager[Span | None]":
    """One piece of work for many: it is part of the first and linked with the others."""
    if _tracer is None:
        return nullcontext()
    from opentelemetry.trace import Link, get_current_span

    links = [Link(get_current_span(work).get_span_context()) for work in works[1:] if work is not None]
    return _started(name, works[0], links, attributes)


def tell(span: "Span | None", attributes: Mapping[str, Any], *, name: str, failed: bool = False) -> None:
    """Say of a piece of work what is known by now, and how it is called."""
    if span is not None:
        from opentelemetry.trace import StatusCode

        span.update_name(name)
        span.set_attributes(attributes)
        if failed:
            span.set_status(StatusCode.ERROR)


@contextmanager
def _started(
    name: str, parent: "Context | None", links: Sequence[Any], attributes: Mapping[str, Any], *, server: bool = False
) -> "Iterator[Span]":
    from opentelemetry.trace import SpanKind, StatusCode

    assert _tracer is not None
    kind = SpanKind.SERVER if server else SpanKind.INTERNAL
    known = {key.replace("_", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, parent, kind, known, links, record_exception=False, set_status_on_exception=False
    ) as started:
        try:
            yield started
        except BaseException:
            started.set_status(StatusCode.ERROR)
            raise


def _address(endpoint: str) -> str | None:
    return f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None
