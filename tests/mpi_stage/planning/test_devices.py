"""On which device passes run: a GPU only where it saves time and changes no byte."""

import pytest

from mpi_stage.errors import DeviceError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.devices import agreed, place, why_no_kernels
from mpi_stage.planning.gpu import Gpu
from mpi_stage.planning.gpu_steps import gpu_steps
from mpi_stage.planning.planner import make_plan

LARGE = ImageSpec(40_000, 40_000, 3, "uint8")
GIB = 1 << 30
A_GPU = Gpu(0, "a GPU", 8 * GIB)
WITHOUT_KERNEL = f"convolve:kernel={','.join(['0.01'] * 169)}"
"""One of 13 × 13 numbers, which the CPU sums in another way than smaller ones."""


class Facts:
    """An input or output that any rank reads and writes."""

    divisible = rereadable = windowed = True
    decode_bytes = encode_bytes = 0
    row_unit = 1

    def __init__(self, spec):
        self.spec = spec


def _plan(pipeline, spec=LARGE, nodata=None):
    return make_plan(parse(pipeline), Facts(spec), Facts(spec), ranks=1, memory_bytes=4 * GIB, nodata=nodata)


def _devices(plan):
    return ["gpu" if one.gpu else "cpu" for one in plan.passes]


def _none_here():
    return "there is none here"


def _must_not_ask():
    pytest.fail("a GPU was looked for")


def test_slow_steps_of_a_large_image_go_to_the_gpu():
    placed = place(_plan("gaussian:sigma=6 median:size=5"), "auto", 4 * GIB, lambda: A_GPU)
    assert _devices(placed) == ["gpu"]
    assert placed.passes[0].gpu.block_rows > 16


def test_a_small_image_stays_on_the_cpu_without_a_look_at_any_gpu():
    plan = _plan("gaussian", ImageSpec(500, 500, 3, "uint8"))
    assert place(plan, "auto", 4 * GIB, _must_not_ask) is plan


def test_a_cheap_chain_stays_on_the_cpu_for_the_copies_would_take_longer():
    assert _devices(place(_plan("invert"), "auto", 4 * GIB, _must_not_ask)) == ["cpu"]


def test_floats_go_to_the_gpu_only_if_it_is_asked_for():
    plan = _plan("gaussian:sigma=6", ImageSpec(40_000, 40_000, 3, "float32"))
    assert _devices(place(plan, "auto", 4 * GIB, _must_not_ask)) == ["cpu"]
    assert _devices(place(plan, "gpu", 4 * GIB, lambda: A_GPU)) == ["gpu"]


def test_a_kernel_that_was_never_measured_is_taken_only_if_a_gpu_is_asked_for():
    plan = _plan("gaussian:sigma=6 bilateral")
    assert _devices(place(plan, "auto", 4 * GIB, _must_not_ask)) == ["cpu"]
    assert _devices(place(plan, "gpu", 4 * GIB, lambda: A_GPU)) == ["gpu"]


def test_the_cpu_is_the_cpu():
    plan = _plan("gaussian:sigma=6")
    assert place(plan, "cpu", 4 * GIB, _must_not_ask) is plan


def test_a_step_without_a_kernel_keeps_its_pass_on_the_cpu_and_the_plan_says_why():
    plan = _plan(f"{WITHOUT_KERNEL} equalize:channels=each gaussian:sigma=6")
    placed = place(plan, "gpu", 4 * GIB, lambda: A_GPU)
    assert _devices(placed) == ["cpu", "gpu"]
    assert "convolve has no GPU kernel" in placed.to_json()["passes"][0]["why_cpu"]


def test_asking_for_a_gpu_where_there_is_none_is_refused_with_the_reason():
    with pytest.raises(DeviceError, match="there is none here; use --device auto or cpu"):
        place(_plan("gaussian"), "gpu", 4 * GIB, _none_here)


def test_asking_for_a_gpu_for_steps_without_kernels_is_refused_with_the_reason():
    with pytest.raises(DeviceError, match="convolve has no GPU kernel"):
        place(_plan(WITHOUT_KERNEL), "gpu", 4 * GIB, lambda: A_GPU)


def test_auto_does_without_a_gpu_where_there_is_none():
    plan = _plan("gaussian:sigma=6")
    assert place(plan, "auto", 4 * GIB, _none_here) is plan


def test_the_hash_of_a_plan_does_not_depend_on_the_device():
    plan = _plan("gaussian:sigma=6")
    assert place(plan, "gpu", 4 * GIB, lambda: A_GPU).hash == plan.hash


def test_blocks_are_lower_on_a_gpu_with_less_room_and_none_fits_on_a_tiny_one():
    plan = _plan("gaussian:sigma=6 median:size=5")
    large = place(plan, "gpu", 4 * GIB, lambda: A_GPU).passes[0].gpu
    small = place(plan, "gpu", 4 * GIB, lambda: Gpu(0, "small", 200 << 20)).passes[0].gpu
    assert small.block_rows < large.block_rows
    with pytest.raises(DeviceError, match="bytes of the GPU's 1000"):
        place(plan, "gpu", 4 * GIB, lambda: Gpu(0, "tiny", 1000))


def test_the_plan_counts_the_host_s_memory_for_the_gpu():
    plan = _plan("gaussian:sigma=6")
    assert place(plan, "gpu", 4 * GIB, lambda: A_GPU).peak_bytes > plan.peak_bytes


def test_pixels_without_data_are_left_out_on_a_gpu_too():
    (one,) = _plan("gaussian", nodata=0.0).passes
    assert gpu_steps(one.steps, None)[0].nodata == 0.0
    assert why_no_kernels(one) is None


def test_all_ranks_take_as_little_of_a_gpu_as_the_one_with_least():
    found = [Gpu(0, "large", 8 * GIB), Gpu(1, "small", 2 * GIB)]
    assert [agreed(found, rank) for rank in (0, 1)] == [Gpu(0, "large", 2 * GIB), Gpu(1, "small", 2 * GIB)]


def test_no_rank_takes_a_gpu_where_one_has_none():
    assert agreed([A_GPU, "there is none here"], 0) == "there is none here"


def test_floats_that_do_not_fit_on_the_gpu_are_not_filtered_elsewhere():
    tiny, small = Gpu(0, "tiny", 1000), ImageSpec(4000, 4000, 1, "float32")
    with pytest.raises(DeviceError, match=r"floats do not fit on the GPU: .* bytes of the GPU's 1000"):
        place(_plan("gaussian", small), "gpu", 4 * GIB, lambda: tiny)
