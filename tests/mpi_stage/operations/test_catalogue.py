"""Every declaration is complete and consistent."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

from mpi_stage import operations
from mpi_stage.errors import UnknownOperationError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.catalogue import INTERNAL, OPERATIONS
from mpi_stage.operations.declaring.declaration import Border, Channels, Kind, Operation, Pattern
from mpi_stage.operations.index import PUBLIC, find, find_public
from mpi_stage.operations.morphology import MORPHOLOGY
from mpi_stage.operations.spelling.grammar import make_step, parameters_of

EVERY = (*OPERATIONS, *INTERNAL)
by_name = pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.name)


def step_of(operation):
    required = {
        p.name: [0] * (p.counts or (1,))[0] if p.kind is Kind.NUMBERS else 1
        for p in operation.parameters
        if p.required
    }
    return make_step(operation.name, required)


def declarations():
    """Return what the modules of operations declare, by the constants that hold them."""
    names = (one.name for one in pkgutil.iter_modules(operations.__path__))
    return {
        declared
        for name in names
        for declared in vars(import_module(f"mpi_stage.operations.{name}")).values()
        if isinstance(declared, Operation)
    }


def test_the_index_has_every_declaration():
    assert set(EVERY) == declarations()


def test_the_index_has_every_alias():
    assert list(PUBLIC) == [name for operation in OPERATIONS for name in (operation.name, *operation.aliases)]
    assert all(find(alias) is operation for operation in OPERATIONS for alias in operation.aliases)


def test_names_and_aliases_are_unique():
    names = [name for operation in EVERY for name in (operation.name, *operation.aliases)]
    assert len(names) == len(set(names))


@by_name
def test_exactly_the_work_of_its_pattern_is_set(operation):
    work = {
        Pattern.POINT: operation.point,
        Pattern.STENCIL: operation.stencil,
        Pattern.REDUCE: operation.reduction,
        Pattern.GLOBAL: operation.collective,
    }
    assert [pattern for pattern, done in work.items() if done is not None] == [operation.pattern]


@by_name
def test_people_can_read_what_it_is(operation):
    assert operation.label
    assert operation.help.endswith(".")
    assert operation.reference
    assert all(parameter.help for parameter in parameters_of(operation))


@by_name
def test_stencils_have_a_border_and_points_have_none(operation):
    if operation.pattern is Pattern.STENCIL:
        assert operation.border is not None
    if operation.pattern is Pattern.POINT:
        assert operation.border is None


@by_name
def test_every_choice_has_a_default_among_them(operation):
    for parameter in parameters_of(operation):
        if parameter.kind is Kind.CHOICE and not parameter.required:
            assert parameter.default in parameter.choices


KEEPING_SIZE = [operation for operation in OPERATIONS if operation.family != "geometry"]


@pytest.mark.parametrize("operation", KEEPING_SIZE, ids=lambda operation: operation.name)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_cost_halo_and_output_are_sensible(operation, dtype):
    params = step_of(operation).params
    channels = {Channels.COLOUR: (3, 4), Channels.GRAY: (1,)}.get(operation.channels, (1, 3, 4))
    for count in channels:
        spec = ImageSpec(10, 20, count, dtype)
        assert 0 < operation.cost(params, spec) < 10_000
        assert operation.halo(params, spec) >= 0
        after = operation.output(spec, params)
        assert (after.rows, after.columns, after.dtype) == (
            10,
            20,
            "uint32" if operation.name == "label" else dtype,
        )
        gray = operation.gray_inside or operation.name in {"grayscale", "channels"}
        colour = operation.name == "rgb" and count == 1
        assert after.channels == (1 if gray else 3 if colour else count)


def test_the_default_borders_are_those_of_the_references():
    defaults = {operation.name: operation.border for operation in OPERATIONS if operation.border}
    assert defaults == {
        "box": Border.MIRROR,
        "gaussian": Border.MIRROR,
        "median": Border.NEAREST,
        "bilateral": Border.MIRROR,
        "denoise": Border.MIRROR,
        "sharpen": Border.MIRROR,
        "unsharp": Border.MIRROR,
        "emboss": Border.MIRROR,
        "convolve": Border.MIRROR,
        "sobel": Border.MIRROR,
        "scharr": Border.MIRROR,
        "prewitt": Border.MIRROR,
        "roberts": Border.MIRROR,
        "laplacian": Border.MIRROR,
        "canny": Border.NEAREST,
        "harris": Border.MIRROR,
        "gaussian_otsu": Border.MIRROR,
        "adaptive_mean": Border.NEAREST,
        "adaptive_gaussian": Border.NEAREST,
        **{operation.name: Border.NEAREST for operation in MORPHOLOGY},
        "pad": Border.MIRROR,
    }


def test_the_gaussians_halo_depends_on_the_type():
    step = make_step("gaussian", {"sigma": 3})
    halos = [step.operation.halo(step.params, ImageSpec(9, 9, 1, dtype)) for dtype in ("uint8", "uint16")]
    assert halos == [9, 12]


def test_the_plan_finds_internal_operations_and_people_do_not():
    assert find("canny_maps").name == "canny_maps"
    assert find("blur") is find_public("box")
    with pytest.raises(UnknownOperationError):
        find_public("canny_maps")


def test_the_catalogue_imports_no_heavy_library():
    program = (
        "import sys, mpi_stage.operations.spelling.grammar\n"
        "print([name for name in ('scipy', 'skimage', 'ray', 'mpi4py') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
