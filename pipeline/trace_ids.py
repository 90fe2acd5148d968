"""The ids of a job's trace: they follow from the job's own, so that nobody has to pass them on."""

import hashlib

_TRACE_CHARS = 32
_SPAN_CHARS = 16


def trace_of(job_id: str) -> str:
    """Return the id of a job's trace: 32 hexadecimal digits, as W3C's trace context has them."""
    return _digest(job_id)[:_TRACE_CHARS]


def root_span_of(job_id: str) -> str:
    """Return the id of the span that all of a job's spans are below: 16 hexadecimal digits."""
    return _digest(job_id)[_TRACE_CHARS : _TRACE_CHARS + _SPAN_CHARS]


def _digest(job_id: str) -> str:
    return hashlib.sha256(f"halorow-trace-1:{job_id}".encode()).hexdigest()
