"""Logs: one JSON object per line on stderr, with the job at hand, and no secrets.

structlog is imported on first use, so that what logs nothing does not load it.
"""

import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from pipeline.trace_ids import trace_of

HIDDEN = "(hidden)"

_SECRET_NAME = re.compile(
    r"password|passwd|secret|token|credential|authorization|signature|cookie", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")
_SIGNATURE = re.compile(r"(?<=[?&])((?:x-goog-)?(?:signature|credential))=[^&\s\"']+", re.IGNORECASE)


def redacted(value: object, name: str = "") -> object:
    """Return a value fit for a log: secrets by name, passwords in URLs and signatures in links hidden."""
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        if "=" not in value and "://" not in value:
            return value
        return _SIGNATURE.sub(rf"\1={HIDDEN}", _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", value))
    if isinstance(value, dict):
        return {key: redacted(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        event[name] = redacted(value, name)
    return event


def _trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the id of a job's trace on every line about the job."""
    if "job" in event:
        event["trace"] = trace_of(str(event["job"]))
    return event


def configure(level: str = "info") -> None:
    """Set up logging for this process: JSON lines on stderr from ``level`` upwards."""
    import structlog  # noqa: PLC0415  (see the module's docstring)

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        # Looked up for each logger: whoever embeds us may exchange sys.stderr.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(**bound: object) -> Any:  # noqa: ANN401  (structlog's loggers grow methods by configuration)
    """Return a logger (``.info("event", key=value)``) that carries ``bound`` on every line."""
    import structlog  # noqa: PLC0415

    return structlog.get_logger(**bound)


@contextmanager
def bound(**context: object) -> Iterator[None]:
    """Put ``job=``, ``attempt=``, ``worker=`` and the like on every line logged inside the block."""
    import structlog  # noqa: PLC0415

    with structlog.contextvars.bound_contextvars(**context):
        yield
