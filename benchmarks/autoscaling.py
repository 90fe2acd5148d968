"""Follows a queue and the nodes that Ray's autoscaler starts for it, and draws both.

``python -m benchmarks.autoscaling`` writes ``benchmarks/results/autoscaling.json`` and
``benchmarks/results/autoscaling.svg``.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.growing import GrowingCluster
from benchmarks.step_plot import Line, svg
from pipeline.models import ClusterStatus

ROOT = Path(__file__).parent.parent
IMAGE = ROOT / "tests" / "images" / "coffee.tif"
RESULTS = ROOT / "benchmarks" / "results" / "autoscaling.json"
PLOT = ROOT / "benchmarks" / "results" / "autoscaling.svg"
STEPS = "denoise"
LOOK_S = 0.25
LONGEST_S = 240.0


def main() -> None:
    """Run a large and a small burst of jobs, and record until no node is left."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autoscaling", description=main.__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="the most nodes, of one core each")
    parser.add_argument(
        "--bursts", type=int, nargs="+", default=[150, 25], help="jobs at once, one after another"
    )
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="hr-growing-") as folder,
        GrowingCluster(Path(folder), arguments.nodes) as cluster,
    ):
        samples = record(cluster, arguments.bursts)
    found = {"nodes_max": arguments.nodes, "steps": STEPS, "bursts": arguments.bursts, "samples": samples}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PLOT.write_text(plot(found))
    print(summary(found))


def record(cluster: GrowingCluster, bursts: list[int]) -> list[dict[str, float]]:
    """Return a sample for each change, from the first burst until no node is left after the last."""
    began_s, samples = time.monotonic(), list[dict[str, float]]()
    for jobs in bursts:
        cluster.client.submit_many([cluster.client.order(IMAGE, STEPS)] * jobs)
        ends_s, grown = time.monotonic() + LONGEST_S, False
        while time.monotonic() < ends_s:
            sample = _sample(cluster.client.cluster())
            if not samples or any(samples[-1][name] != value for name, value in sample.items()):
                samples.append({"at_s": round(time.monotonic() - began_s, 2), **sample})
            grown = grown or sample["nodes"] > 0
            if grown and not sample["jobs"] and not sample["nodes"]:
                break
            time.sleep(LOOK_S)
    return samples


def _sample(status: ClusterStatus | None) -> dict[str, float]:
    if status is None:
        return {"jobs": 0, "mpx": 0.0, "wanted": 0, "nodes": 0}
    lanes = status.lanes.values()
    return {
        "jobs": sum(lane.waiting + lane.held for lane in lanes),
        "mpx": round(sum(lane.backlog.todo.pixels for lane in lanes) / 1e6, 2),
        "wanted": status.nodes_wanted or 0,
        "nodes": sum(not node.is_head for node in status.nodes),
    }


def plot(found: dict[str, Any]) -> str:
    """Return the queue above, and the nodes below, as SVG."""

    def line(name: str, key: str, colour: str, *, dashed: bool = False) -> Line:
        return Line(name, colour, [(one["at_s"], one[key]) for one in found["samples"]], dashed)

    queue = ("queued megapixels", [line("queue", "mpx", "#2b6cb0")])
    nodes = (
        "worker nodes",
        [line("wanted", "wanted", "#c05621", dashed=True), line("there", "nodes", "#2f855a")],
    )
    return svg("A queue and the nodes that it brings", [queue, nodes])


def summary(found: dict[str, Any]) -> str:
    """Return the figures in words."""
    samples = found["samples"]
    most = max(one["nodes"] for one in samples)
    first = next(one["at_s"] for one in samples if one["nodes"])
    full = next(one["at_s"] for one in samples if one["nodes"] == most)
    return (
        f"Of at most {found['nodes_max']} nodes, {most:.0f} were there at a time: the first {first:.0f} s "
        f"after the jobs, the last {full:.0f} s after them. All {sum(found['bursts'])} jobs were done and no "
        f"node left after {samples[-1]['at_s']:.0f} s."
    )


if __name__ == "__main__":
    main()
