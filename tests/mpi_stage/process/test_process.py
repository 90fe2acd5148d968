"""What a rank finds out about its own process."""

from pathlib import Path

import numpy as np

from mpi_stage.process.setup import anonymous_bytes

SLACK_BYTES = 8 << 20
"""Other threads' memory comes and goes between two looks."""


def rss_anon_bytes():
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


def test_anonymous_memory_is_what_the_kernel_calls_so():
    before = anonymous_bytes()
    kept = np.ones(64 << 20, np.uint8)

    assert abs(anonymous_bytes() - rss_anon_bytes()) < SLACK_BYTES
    assert abs(anonymous_bytes() - before - kept.nbytes) < SLACK_BYTES
