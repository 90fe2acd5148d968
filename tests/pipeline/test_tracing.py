"""One trace for each job."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline import tracing
from pipeline.trace_ids import trace_of


@pytest.fixture
def spans(monkeypatch):
    """Give the spans that have ended, as a collector would see them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("halorow"))
    return exporter.get_finished_spans


def test_a_job_s_trace_is_the_same_in_every_process_and_another_for_every_job():
    assert trace_of("a") == trace_of("a") != trace_of("b")
    assert int(trace_of("a"), 16) > 0
    assert len(trace_of("a")) == 32


def test_an_attempt_and_its_ranks_are_spans_of_the_job_s_trace(service, spans):
    job = service.submit()
    service.runner(service.stage).work_once()
    assert [span.name for span in spans()] == ["rank", "attempt"]
    rank, attempt = spans()
    assert {f"{span.context.trace_id:032x}" for span in spans()} == {trace_of(job)}
    assert rank.parent.span_id == attempt.context.span_id
    assert (rank.attributes["halorow.rank"], attempt.attributes["halorow.attempt"]) == (0, 1)


def test_what_is_raised_inside_marks_the_span(spans):
    with pytest.raises(ValueError, match="no"), tracing.span("attempt", "a"):
        raise ValueError("no")
    assert not spans()[0].status.is_ok


def test_without_a_place_to_send_them_there_are_no_spans(monkeypatch):
    monkeypatch.delenv(tracing.ENDPOINT, raising=False)
    tracing._tracer.cache_clear()
    with tracing.span("attempt", "a"):
        tracing.past_span("rank", "a", 1.0)
    assert tracing._tracer() is None
    tracing._tracer.cache_clear()
