"""Which tests may run beside which, where pytest-xdist runs them in several processes."""

from xdist.scheduler import LoadScopeScheduling

SERVICES = ("tests/browser/", "tests/chaos/", "tests/cluster/")
"""Folders whose tests start hosts or whole services: two at once would take each other's time, and ports."""


class Lanes(LoadScopeScheduling):
    """Keep the tests of a file in one process, and those of all folders of services in one and in order.

    That lane is the longest: `--no-loadscope-reorder` has it begin first, as the folders come.
    """

    def _split_scope(self, nodeid: str) -> str:
        """Return the lane of a test."""
        return "services" if nodeid.startswith(SERVICES) else nodeid.partition("::")[0]
