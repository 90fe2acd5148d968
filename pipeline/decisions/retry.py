"""Whether a job is tried again: a pure decision."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of a job whose attempt has ended without a result."""

    RETRY = "retry"
    FAIL = "fail"
    DEAD_LETTER = "dead letter"


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon a job is tried again.

    Attributes
    ----------
    max_attempts: attempts in all, the first included.
    max_deaths: attempts that may end without any report; a job that keeps killing its worker is
        kept from the others sooner than one that reports an error.
    base_s, cap_s: the longest wait after the first attempt; the longest wait ever.

    """

    max_attempts: int = 5
    max_deaths: int = 3
    base_s: float = 0.5
    cap_s: float = 30.0


@dataclass(frozen=True)
class RetryDecision:
    """What to do, when, and why, in words for the user."""

    verdict: Verdict
    delay_s: float
    reason: str


def decide(
    attempt: int,
    failure_retryable: bool | None,
    deaths: int,
    policy: RetryPolicy,
    *,
    jitter: float = 1.0,
) -> RetryDecision:
    """Decide what becomes of a job after an attempt without a result.

    Parameters
    ----------
    attempt: the number of the attempt that ended, from 1.
    failure_retryable: what its report said; None if it made none (its worker died).
    deaths: attempts so far that ended without a report, this one included.
    policy: the limits.
    jitter: from 0 to 1, see :func:`jitter_of`; spreads jobs that failed together over half the wait.

    """
    if failure_retryable is False:
        return RetryDecision(Verdict.FAIL, 0.0, "the error would come again on every attempt")
    if deaths >= policy.max_deaths:
        reason = f"{deaths} attempts ended with the death of their worker (limit {policy.max_deaths})"
        return RetryDecision(Verdict.DEAD_LETTER, 0.0, reason)
    if attempt >= policy.max_attempts:
        reason = f"attempt {attempt} was the last of {policy.max_attempts}"
        return RetryDecision(Verdict.DEAD_LETTER, 0.0, reason)
    delay_s = backoff_s(attempt, policy, jitter)
    ended = "the worker died" if failure_retryable is None else "the error may pass"
    return RetryDecision(Verdict.RETRY, delay_s, f"{ended}; attempt {attempt + 1} in {delay_s:.1f} s")


def device_of_next(wanted: str, lost: int) -> str:
    """Return the device of a job's next attempt: the CPU once a device, a worker or a node was lost with it.

    What brought a GPU down, or a GPU's node, may do so again; on CPUs integers become the same bytes.

    Parameters
    ----------
    wanted: ``auto``, ``cpu`` or ``gpu``, as the job was submitted.
    lost: attempts so far that ended with the loss of a device or without a report.

    """
    return "cpu" if lost else wanted


def backoff_s(attempt: int, policy: RetryPolicy, jitter: float) -> float:
    """Return the wait after an attempt: doubled with each, capped, its second half scaled by jitter."""
    # 2.0 ** 1024 overflows; the cap is reached long before the exponent's limit here.
    longest_s = min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 64))
    return longest_s * (0.5 + 0.5 * jitter)


def jitter_of(job_id: str, attempt: int) -> float:
    """Return a number in [0, 1) that differs between jobs and attempts and never between calls."""
    digest = hashlib.blake2b(f"{job_id}:{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
