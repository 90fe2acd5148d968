"""Has `make coverage` see into ranks: a plugin of coverage, which every process that is measured loads.

Ranks start without Python's search for site packages, and with it would go what begins the measurement.
"""

from pipeline.worlds import launch


def coverage_init(_registry, _options):
    """Start ranks as any Python."""
    launch._RANK_PYTHON = ("-P",)
