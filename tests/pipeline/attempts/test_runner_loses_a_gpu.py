"""A job whose GPU is lost in the middle is tried again on CPUs."""

from mpi_stage.errors import DeviceLostError


class LosingStage:
    """A stage whose GPU fails at the first request for one; it notes what devices it was asked for."""

    def __init__(self, stage):
        self.stage = stage
        self.asked = []

    def run(self, request, **options):
        self.asked.append(request.device)
        if request.device != "cpu":
            raise DeviceLostError("the GPU or its driver failed: unspecified launch failure")
        return self.stage.run(request, **options)


def test_a_job_whose_gpu_is_lost_is_done_on_cpus_with_the_cpu_s_bytes(service):
    wanted = service.client.submit(service.photo, service.edges, device="cpu")
    service.runner(service.stage).work_once()
    stage = LosingStage(service.stage)
    runner = service.runner(stage)
    job = service.client.submit(service.photo, service.edges, device="gpu")

    runner.work_once()
    runner.work_once()

    assert stage.asked == ["gpu", "cpu"]
    digests = [service.client.result(one.id).pixels_sha256 for one in (wanted, job)]
    assert digests[0] == digests[1]
