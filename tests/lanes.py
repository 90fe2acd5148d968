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

    def schedule(self):
        """Give every process that there is two lanes, since it begins a test when it knows of the next."""
        super().schedule()
        for node in self.nodes:
            self._reschedule(node)

    def remove_node(self, node):
        """Return the test that a process was at when it ended; the rest of its tests go to others.

        xdist would have it tried again, and so wait as often for one that hangs as processes may be replaced.
        """
        left = self.assigned_work.pop(node)
        waiting = [(unit, test) for unit in left.values() for test, done in unit.items() if not done]
        if not waiting:
            return None
        unit, culprit = waiting[0]
        unit[culprit] = True
        self.workqueue.update({lane: tests for lane, tests in left.items() if not all(tests.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return culprit
