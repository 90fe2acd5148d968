"""One trace for each job, across all processes that have to do with it.

Its id follows from the job's, so nobody has to pass it on: every line of a log that names a job carries
it (``pipeline.logs``). Where OpenTelemetry is installed and told where to send spans
(``OTEL_EXPORTER_OTLP_ENDPOINT``), submission, attempts, ranks and commits are spans of that trace as well.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from pipeline.logs import get_logger
from pipeline.trace_ids import root_span_of, trace_of

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_NAME = "halorow"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


@contextmanager
def span(name: str, job_id: str, **facts: str | float | None) -> Iterator[None]:
    """Make the block a span of a job's trace, if there is a tracer; what is raised inside marks it."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, context=_within(job_id), attributes=_attributes(job_id, facts)):
        yield


def past_span(name: str, job_id: str, took_s: float, **facts: str | float | None) -> None:
    """Tell of something that took ``took_s`` seconds and has just ended elsewhere, as a rank's work."""
    tracer = _tracer()
    if tracer is None:
        return
    ended_ns = time.time_ns()
    began_ns = ended_ns - round(took_s * 1e9)
    made = tracer.start_span(
        name, context=_within(job_id), start_time=began_ns, attributes=_attributes(job_id, facts)
    )
    made.end(ended_ns)


def _attributes(job_id: str, facts: Mapping[str, str | float | None]) -> dict[str, str | float]:
    known = {f"{_NAME}.{name}": value for name, value in facts.items() if value is not None}
    return {f"{_NAME}.job": job_id, **known}


def _within(job_id: str) -> Any:  # noqa: ANN401  (a Context where OpenTelemetry is installed)
    """Return the context of a job's trace: the span at hand if it is one of the job's, else its root."""
    from opentelemetry import trace  # noqa: PLC0415  (may not be installed)

    trace_id = int(trace_of(job_id), 16)
    if trace.get_current_span().get_span_context().trace_id == trace_id:
        return None
    root = trace.SpanContext(
        trace_id=trace_id,
        span_id=int(root_span_of(job_id), 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(root))


@cache
def _tracer() -> Any:  # noqa: ANN401  (a Tracer where OpenTelemetry is installed)
    """Return what makes spans, None where nothing listens to them."""
    if not os.environ.get(ENDPOINT):
        return None
    try:
        from opentelemetry import trace  # noqa: PLC0415  (may not be installed)
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        exporter = import_module(_EXPORTER).OTLPSpanExporter()
    except ImportError as error:
        get_logger(part="tracing").warning("no spans are sent: a package is missing", missing=error.name)
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": _NAME}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return trace.get_tracer(_NAME, tracer_provider=provider)
