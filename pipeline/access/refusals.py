"""What is said in the log whenever somebody is refused something."""

from pipeline.logs import get_logger

EVENT = "refused"
"""The event of every such line, for those who watch the log."""


def log_refusal(what: str, error: Exception, **context: object) -> None:
    """Log that ``what`` was refused, and why; secrets are hidden as in every line."""
    get_logger(part="access").warning(
        EVENT, what=what, reason=str(error), kind=type(error).__name__, **context
    )
