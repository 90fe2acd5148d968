"""Operations that need all ranks at once, against the whole-image calls that the catalogue names."""

import cv2
import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import tifffile
from operation_harness import picture
from worlds import RANKS, Worlds

ROWS, COLUMNS = 83, 61


def results(worlds, image, pipeline, **options):
    """Return what each world makes of an image: its pixels and its report."""
    source = worlds.write(image)
    done = [worlds.run(ranks, source, pipeline, **options) for ranks in RANKS]
    assert len({one.content for one in done}) == 1
    pixels = tifffile.imread(done[0].path)
    return pixels.reshape(*pixels.shape[:2], -1), [one.report.measured for one in done]


def butterworth(shape, cutoff, order):
    """Return the low-pass gains for the frequencies of ``rfft2``, from the formula in the books."""
    down = np.fft.fftfreq(shape[0]) * shape[0]
    across = np.fft.rfftfreq(shape[1]) * shape[1]
    distance = np.hypot(down[:, np.newaxis], across)
    return 1 / (1 + (distance / cutoff) ** (2 * order))


def filtered(image, gains):
    """Return an image filtered by gains, through SciPy, in its own type."""
    spectrum = scipy.fft.rfft2(image.astype(np.float64), axes=(0, 1)) * gains[:, :, np.newaxis]
    values = scipy.fft.irfft2(spectrum, s=image.shape[:2], axes=(0, 1))
    if image.dtype == np.float32:
        return values
    return np.clip(np.rint(values), 0, np.iinfo(image.dtype).max)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 13])
def test_the_frequency_filters_are_those_of_scipy_on_the_whole_picture(worlds, dtype, channels):
    image = picture(3, ROWS, COLUMNS, channels, dtype)
    low, high = butterworth(image.shape, 6.5, 3), butterworth(image.shape, 20, 3)
    expected = {
        "lowpass:cutoff=6.5,order=3": low,
        "highpass:cutoff=6.5,order=3": 1 - low,
        "bandpass:low=6.5,high=20,order=3": high * (1 - low),
    }
    for pipeline, gains in expected.items():
        result, _ = results(worlds, image, pipeline)
        reference = filtered(image, gains)
        tolerance = 1e-5 * np.ptp(reference) if dtype == "float32" else 1
        assert np.abs(result - reference).max() <= tolerance


def test_alpha_goes_around_a_frequency_filter(worlds):
    image = picture(4, ROWS, COLUMNS, 4, "uint8")
    result, _ = results(worlds, image, "lowpass:cutoff=3")
    np.testing.assert_array_equal(result[..., 3], image[..., 3])
    assert not np.array_equal(result[..., :3], image[..., :3])


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("density", [0.3, 0.5, 0.6, 0.95])
def test_labels_are_those_of_scipy_and_the_report_counts_them(worlds, connectivity, density):
    image = (np.random.default_rng(7).random((ROWS, COLUMNS, 1)) < density).astype(np.uint8) * 9
    structure = np.ones((3, 3)) if connectivity == 8 else None
    expected, count = scipy.ndimage.label(image[..., 0], structure)
    for block_rows in (None, 1, 7):
        result, measured = results(worlds, image, f"label:connectivity={connectivity}", block_rows=block_rows)
        assert result.dtype == np.uint32
        np.testing.assert_array_equal(result[..., 0], expected)
        assert all(one["label"]["count"] == count for one in measured)


def serpentine(rows, columns, width):
    """Return one stroke that runs from top to bottom and back, twenty times, without touching itself."""
    image = np.zeros((rows, columns, 1), np.uint8)
    pitch = columns // 20
    for turn in range(20):
        left = turn * pitch + 2
        image[2:-2, left : left + width] = 255
        row = 2 if turn % 2 else rows - 2 - width
        if turn < 19:
            image[row : row + width, left : left + pitch + width] = 255
    return image


def test_a_serpentine_that_crosses_every_rank_twenty_times_is_one_component(worlds):
    image = serpentine(160, 200, 3)
    result, measured = results(worlds, image, "label", block_rows=5)
    assert all(one["label"]["count"] == 1 for one in measured)
    np.testing.assert_array_equal(result, (image > 0).astype(np.uint32))


def test_a_serpentine_that_is_strong_at_one_end_is_one_edge_for_canny(worlds):
    image = serpentine(160, 240, 6) // 4
    image[:9, :9][image[:9, :9] > 0] = 255
    result, _ = results(worlds, image, "canny:low=30,high=600", block_rows=5)
    expected = cv2.Canny(image, 30, 600)
    np.testing.assert_array_equal(result[..., 0], expected)
    assert cv2.connectedComponents(expected)[0] - 1 == 1
    rows, columns = np.nonzero(expected)
    assert (np.ptp(rows), np.ptp(columns)) > (150, 200)
    without = image.copy()
    without[:9, :9] = np.minimum(without[:9, :9], 63)
    assert not results(worlds, without, "canny:low=30,high=600")[0].any()


def board(dtype, channels):
    """Return a turned chessboard with some noise: many corners."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    fields = (rows + columns // 3) // 9 + (columns - rows // 3) // 9
    noise = np.random.default_rng(2).random((ROWS, COLUMNS, channels)) * 0.1
    values = np.where((fields % 2)[..., np.newaxis] > 0, 0.85, 0.1) + noise
    return (values * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(dtype)


@pytest.mark.parametrize("block", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_harris_response_is_that_of_cv2(worlds, block, size, dtype):
    image = board(dtype, 1)
    result, measured = results(worlds, image, f"harris:block={block},size={size},k=0.06,output=response")
    expected = cv2.cornerHarris(image[..., 0], block, size, 0.06)
    assert np.abs(result[..., 0] - expected).max() <= 1e-5 * np.abs(expected).max()
    assert all(one["harris"] == {"strongest": float(result.max())} for one in measured)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_harris_marks_the_colour_picture_and_nothing_else(worlds, dtype, channels):
    image = board(dtype, channels)
    response, _ = results(worlds, image, "harris:output=response")
    result, measured = results(worlds, image, "harris:threshold=0.2", block_rows=3)
    corners = response[..., 0] > np.float64(0.2) * response.max()
    np.testing.assert_array_equal(result[~corners], image[~corners])
    white = 1 if dtype == "float32" else np.iinfo(dtype).max
    colour = [white, 0, 0] if channels > 1 else [white]
    assert (result[corners][:, : len(colour)] == colour).all()
    np.testing.assert_array_equal(result[..., 3:], image[..., 3:])
    assert all(one["harris"]["corners"] == corners.sum() > 0 for one in measured)


def streets(dtype):
    """Return a colour picture with straight edges in several directions."""
    image = np.full((ROWS, COLUMNS, 3), 40, np.uint8)
    for ends in (((0, 10), (60, 70)), ((5, 82), (40, 0)), ((0, 50), (60, 47)), ((30, 0), (31, 82))):
        cv2.line(image, *ends, (220, 180, 90), 2)
    return image if dtype == "uint8" else image.astype(np.uint16) * 257


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_hough_finds_the_lines_of_cv2_lists_them_and_draws_them(worlds, dtype):
    image, scale = streets(dtype), 1 if dtype == "uint8" else 257
    limits = f"low={50 * scale},high={150 * scale}"
    pipeline = f"hough:rho=0.5,theta_degrees=0.7,threshold=20,{limits},max_lines=9"
    result, measured = results(worlds, image, pipeline)
    edges, _ = results(worlds, image, f"canny:{limits}")
    edges = (edges[..., 0] > 0).astype(np.uint8)
    expected = cv2.HoughLinesWithAccumulator(edges, 0.5, np.radians(0.7), 20)[:9].reshape(-1, 3)
    assert len(expected) == 9
    for one in measured:
        found = [(line["rho"], line["theta"], line["votes"]) for line in one["hough"]["lines"]]
        np.testing.assert_array_equal(np.array(found, np.float32), expected)
    drawn = (result != image).any(axis=2)
    rows, columns = np.nonzero(drawn)
    distances = [abs(columns * np.cos(t) + rows * np.sin(t) - rho) for rho, t, _ in expected]
    assert np.min(distances, axis=0).max() <= 0.75
    assert (result[drawn] == [255 * scale, 0, 0]).all()


def test_a_picture_without_edges_has_no_lines_and_stays_as_it_is(worlds):
    image = np.full((ROWS, COLUMNS, 3), 99, np.uint8)
    result, measured = results(worlds, image, "hough:threshold=1")
    np.testing.assert_array_equal(result, image)
    assert all(one["hough"] == {"lines": []} for one in measured)


@pytest.fixture
def fresh_worlds(tmp_path):
    """Give worlds whose memory no other test has used before."""
    worlds = Worlds(tmp_path)
    yield worlds
    worlds.close()


PIPELINES = [
    "lowpass:cutoff=20",
    "harris:threshold=0.1",
    "hough:threshold=300,max_lines=20",
    "grayscale threshold:value=140 label:connectivity=8",
]


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_prediction_holds_and_memory_falls_as_ranks_are_added(fresh_worlds, pipeline):
    image = cv2.GaussianBlur(picture(9, 2000, 3000, 3, "uint8"), (0, 0), 3)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    source = fresh_worlds.write(image)
    peaks, predicted = [], []
    for ranks in (1, 3):
        predicted.append(fresh_worlds.plan(ranks, source, pipeline)["peak_bytes_per_rank"])
        report = fresh_worlds.run(ranks, source, pipeline, digest=False).report
        peaks.append(max(rank.peak_anon_bytes for rank in report.ranks))
        assert peaks[-1] <= predicted[-1]
    assert predicted[0] > predicted[1]
    if "lowpass" in pipeline:  # its spectra are large beside the program itself
        assert peaks[0] > 1.5 * peaks[1]


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_does_not_fit_in_memory_goes_through_scratch_with_the_same_bytes(fresh_worlds, pipeline):
    worlds = fresh_worlds  # of which nothing that was done before makes the program larger, and later smaller
    source = worlds.write(picture(9, 700, 900, 3, "uint8"))
    plenty = worlds.run(2, source, pipeline)
    needed = worlds.plan(2, source, pipeline)["peak_bytes_per_rank"]
    tight = worlds.run(2, source, pipeline, memory_bytes=needed - 1)
    assert plenty.content == tight.content
    assert sum(rank.spilled_bytes for rank in plenty.report.ranks) == 0
    assert sum(rank.spilled_bytes for rank in tight.report.ranks) > 0
