"""Look for known flaws in what the locks name: ``make audit``.

Runs pip-audit, in an environment of its own made by uv. Without the network it says so and passes, but
under ``CI=true`` it fails then.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LOCKS = ("requirements.lock", "requirements-gpu.lock")
LIMIT_S = 600
UV = Path(sys.executable).with_name("uv")


def main() -> int:
    """Return 0 where nothing is known, 1 where something is."""
    found = 0
    for lock in LOCKS:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            argv = [
                UV,
                "tool",
                "run",
                "pip-audit",
                "--requirement",
                lock,
                "--require-hashes",
                "--disable-pip",
            ]
            argv += ["--format", "json", "--output", report, "--progress-spinner", "off"]
            try:
                done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_S)
                said = done.stderr
            except (OSError, subprocess.TimeoutExpired) as error:
                said = str(error)
            if not report.exists() or not report.read_text(encoding="utf-8"):
                last = said.strip().splitlines()[-1:] or ["no reason given"]
                print(f"audit of {lock} skipped: {last[0]}", file=sys.stderr)
                return int(os.environ.get("CI") == "true")
            found += tell(lock, json.loads(report.read_text(encoding="utf-8"))["dependencies"])
    return int(bool(found))


def tell(lock: str, dependencies: list[dict]) -> int:
    """Print what is known of each; return how many flaws that are."""
    flaws = [(one, flaw) for one in dependencies for flaw in one.get("vulns", ())]
    for one, flaw in flaws:
        mended = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {flaw['id']}, mended in {mended}")
    print(f"{lock}: {len(dependencies)} packages, {len(flaws)} known flaws")
    return len(flaws)


if __name__ == "__main__":
    sys.exit(main())
