"""Try every trick once and write down what became of it: ``python -m tests.strangers``."""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from docs.generate.reliability_results import Run
from tests.strangers.rig import Rig, refusals
from tests.strangers.tricks import TRICKS


def attempt_all(folder: Path) -> Run:
    """Return what became of all tricks, tried on a service below ``folder``."""
    rig, began = Rig(folder), time.monotonic()
    refused, logged = Counter[str](), Counter[str]()
    for trick in TRICKS:
        with refusals() as lines:
            try:
                trick.attempt(rig)
            except trick.refused:
                refused[trick.kind] += 1
            except Exception as error:  # noqa: BLE001  (whatever it is, it is no refusal)
                sys.stderr.write(f"{trick.kind}: {trick.name}: {error!r}\n")
        logged[trick.kind] += bool(lines)
    figures = {"tried": len(TRICKS), "refused": refused.total(), "logged": logged.total()}
    figures |= {name: len(TRICKS) - figures[done] for name, done in _MISSED.items()}
    took_s = time.monotonic() - began
    return Run("strangers", 0, figures, took_s, {"tricks refused": dict(refused)})


_MISSED = {"let_in": "refused", "unlogged": "logged"}


def main() -> int:
    """Write the result file; return 0 if all were refused and logged."""
    with tempfile.TemporaryDirectory(prefix="halorow-strangers-") as folder:
        run = attempt_all(Path(folder))
    sys.stdout.write(f"{run.write()} {dict(run.figures)}\n")
    return int(bool(run.figures["let_in"] or run.figures["unlogged"]))


if __name__ == "__main__":
    sys.exit(main())
