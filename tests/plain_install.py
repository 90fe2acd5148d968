"""An environment in which Python finds nothing but what a plain installation of halorow brings.

Tests run with what development brings. Here the packages that only extras bring are hidden from the
processes that a test starts, and from those that these start.
"""

import os
import sysconfig
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SITE = sysconfig.get_path("purelib")

HIDING = """\
import sys
from importlib.machinery import PathFinder

HIDDEN = frozenset({hidden!r})


class PlainFinder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if spec is None or name not in HIDDEN:
            return spec
        # Ray carries copies of its own of some.
        places = [*(spec.submodule_search_locations or ()), spec.origin or ""]
        first = {site!r} + "/" + name.partition(".")[0]
        return None if any(place.startswith(first) for place in places) else spec


sys.meta_path[sys.meta_path.index(PathFinder)] = PlainFinder
"""


def environment(folder: Path) -> dict[str, str]:
    """Return variables of the environment with which Python starts as in a plain installation."""
    text = HIDING.format(hidden=sorted(beyond_plain()), site=SITE)
    (folder / "sitecustomize.py").write_text(text)
    found = [str(folder), *filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}


@cache
def beyond_plain() -> frozenset[str]:
    """Return the modules that a plain installation lacks; of packages shared by several, those below."""
    plain = closure(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    return frozenset(module for module, names in owners().items() if not names & plain)


@cache
def owners() -> dict[str, set[str]]:
    """Return the distributions that bring a module, for modules at the top and those one below."""
    found = defaultdict(set)
    for one in distributions():
        for module in _modules(one):
            found[module].add(canonicalize_name(one.name))
    return dict(found)


def closure(wanted: Iterable[str]) -> set[str]:
    """Return the names of what is installed if these are asked for, and ``halorow`` itself."""
    known = {canonicalize_name(one.name): one for one in distributions()}
    found, waiting = {"halorow"}, [(Requirement(text), "") for text in wanted]
    seen = set()
    while waiting:
        asked, extra = waiting.pop()
        name = canonicalize_name(asked.name)
        if asked.marker and not asked.marker.evaluate({"extra": extra}):
            continue
        found.add(name)
        for other in ("", *asked.extras):
            if (name, other) not in seen and name in known:
                seen.add((name, other))
                waiting += [(Requirement(text), other) for text in known[name].requires or ()]
    return found


def _modules(one: Distribution) -> set[str]:
    """Return the modules of a package at the top, and those one below."""
    found = set()
    for file in one.files or ():
        first, *rest = file.parts
        if file.suffix not in {".py", ".so"} or first.startswith(".."):
            continue
        found.add(first.partition(".")[0])
        if rest:
            found.add(f"{first}.{rest[0].partition('.')[0]}")
    return found
