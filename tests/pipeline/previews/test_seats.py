"""Who gets a process for previews, what it does for whom, and when it ends."""

from concurrent.futures import CancelledError
from dataclasses import replace

import numpy as np
import psutil
import pytest
import tifffile

from mpi_stage.contract import View
from mpi_stage.errors import BudgetError, UnsupportedImageError
from pipeline.decisions.people import Person
from pipeline.decisions.routing import Cores
from pipeline.errors import KeyRefusedError, PreviewsBusyError
from pipeline.models import Lane
from pipeline.previews.pool import Previews

PATIENCE_S = 60


@pytest.fixture
def previews():
    """Give room for two visitors."""
    made = Previews(2, idle_s=300)
    yield made
    made.close()


@pytest.fixture
def request_of(client, parts):
    """Give what makes a request for a preview of an object that lies in the store."""
    parts.store.put_bytes("scans/a.tif", tiff(np.zeros((80, 90), np.uint8)))

    def make(*steps, who=client):
        return who.preview_request(parts.store.uri("scans/a.tif"), list(steps), "a.tif")[0]

    return make


def tiff(pixels, **how):
    import io  # noqa: PLC0415  (here alone)

    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


def test_of_previews_that_wait_the_latest_is_made(previews, request_of):
    seat = previews.seat("ann")
    asked = [seat.preview(request_of({"op": "gaussian", "sigma": sigma}), View()) for sigma in (1, 2, 3, 4)]
    assert asked[-1].result(PATIENCE_S)["fault"] is None
    assert asked[-2].cancelled()
    with pytest.raises(CancelledError):
        asked[-2].result(0)


def test_an_estimate_says_lane_time_and_work_and_what_is_refused(previews, request_of):
    seat = previews.seat("ann")
    fine, refused = seat.estimate(
        [request_of({"op": "gaussian"}), request_of({"op": "saturation"})], Cores(2)
    ).result(PATIENCE_S)
    assert (fine.lane, fine.ranks) == (Lane.SINGLE, 1)
    assert fine.seconds > fine.core_s > 0
    assert fine.price(3600.0) == pytest.approx(fine.core_s)
    assert fine.plan["passes"][0]["halo_rows"] > 0
    assert isinstance(refused, UnsupportedImageError)


def test_a_process_that_is_killed_is_replaced_by_another(previews, request_of):
    seat = previews.seat("ann")
    seat.preview(request_of(), View()).result(PATIENCE_S)
    (pid,) = seat.pids()
    psutil.Process(pid).kill()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], PATIENCE_S)
    assert seat.preview(request_of(), View()).result(PATIENCE_S)["fault"] is None
    assert seat.pids() != [pid]


def test_a_file_that_decodes_to_more_than_a_job_may_have_is_refused_unseen(previews, client, parts):
    bomb = tiff(np.zeros((40_000, 8_000), np.uint8), compression="zlib")
    parts.store.put_bytes("scans/bomb.tif", bomb)
    request, _ = client.preview_request(parts.store.uri("scans/bomb.tif"), [], "bomb.tif")
    strict = replace(request, budget=replace(request.budget, ratio=100))
    error = previews.seat("ann").preview(strict, View()).exception(PATIENCE_S)
    assert isinstance(error, BudgetError)
    assert "decoded_ratio" in str(error)


def test_what_is_wrong_with_a_file_is_told_by_its_name_and_not_by_where_it_lies(previews, client, parts):
    parts.store.put_bytes("scans/b.tif", b"nothing")
    request, _ = client.preview_request(parts.store.uri("scans/b.tif"), [{"op": "invert"}], "my scan.tif")
    seat = previews.seat("ann")
    error = seat.preview(request, View()).exception(PATIENCE_S)
    (refused,) = seat.estimate([request], Cores(2)).result(PATIENCE_S)
    assert str(error).startswith("my_scan.tif ")
    assert str(refused).startswith("my_scan.tif ")


def test_a_visitor_has_one_process_which_is_ended_for_another_when_it_is_idle(previews, request_of):
    first = previews.seat("ann")
    first.preview(request_of(), View()).result(PATIENCE_S)
    (pid,) = first.pids()
    assert previews.seat("ann") is first
    previews.seat("bob")
    previews.seat("cy")
    first.join()
    assert not psutil.pid_exists(pid)
    assert previews.seat("bob") is not first


def test_a_process_that_nobody_asks_for_anything_ends(request_of):
    previews = Previews(1, idle_s=0.2)
    seat = previews.seat("ann")
    seat.preview(request_of(), View()).result(PATIENCE_S)
    seat.join()
    assert seat.over
    assert previews.seat("ann") is not seat
    previews.close()


def test_where_there_are_to_be_no_previews_that_is_said():
    with pytest.raises(PreviewsBusyError, match="preview_processes"):
        Previews(0, idle_s=1).seat("ann")


def test_where_all_processes_are_at_work_that_is_said(previews):
    for name in ("ann", "bob"):
        previews.seat(name).busy = True
    with pytest.raises(PreviewsBusyError, match="all 2 processes"):
        previews.seat("cy")


def test_a_preview_is_of_what_its_visitor_may_read(client, parts, request_of):
    from pipeline.decisions.places import Places  # noqa: PLC0415  (here alone)

    object.__setattr__(parts, "places", Places(("users/{user}/",), ("users/{user}/",), private=True))
    with pytest.raises(KeyRefusedError):
        request_of({"op": "invert"}, who=client.acting_for(Person("eve")))
