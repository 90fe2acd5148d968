"""Fuzz one target under the guidance of coverage: ``python -m tests.fuzzing.cover TARGET SECONDS CORPUS``.

CORPUS is a folder that keeps what has reached something new, for the next run. Ends with exit code 0 when
the time is over; at the first exception that is none of the project's errors with another one, and leaves the
bytes that raise it in ``crash-…``. Needs the extra ``fuzz``.
"""

import sys
from pathlib import Path

import atheris

HOSTILE = Path(__file__).parents[1] / "hostile"
MOST_BYTES = 16_384
MEMORY_MB = 1500


def main() -> None:
    """Run until the time is over; never returns."""
    name, seconds, corpus = sys.argv[1:4]
    sys.path.insert(0, str(HOSTILE))
    with atheris.instrument_imports(include=["mpi_stage"]):
        from tests.fuzzing.targets import TARGETS  # noqa: PLC0415  (what is imported here is instrumented)
    target = TARGETS[name]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={folder.parent}/{name}-",
        "-timeout=20",
        "-print_final_stats=1",
        *sys.argv[4:],
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
