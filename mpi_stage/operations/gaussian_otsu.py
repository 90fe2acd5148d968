"""Smoothing before Otsu's threshold: ``gaussian_otsu``."""

from dataclasses import replace

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Border, Kind, Parameter, Params
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.otsu import OTSU


def _smoothing(params: Params, _spec: ImageSpec) -> tuple[tuple[str, Params], ...]:
    """Return the step that goes before the threshold."""
    kernel = {"sigma": None, "size": params["size"]}
    return (("gaussian", {**kernel, "border": params["border"], "fill": params["fill"]}),)


GAUSSIAN_OTSU = replace(
    OTSU,
    name="gaussian_otsu",
    label="Otsu's threshold after smoothing",
    help="Smooths the gray picture with a bell curve, so that noise does not count, then finds the threshold "
    "that separates dark and light best: above it white, else black. NaN becomes black.",
    reference="cv2.GaussianBlur(gray, (size, size), 0), then as otsu",
    parameters=(
        Parameter(
            "size",
            Kind.INT,
            "Side of the bell curve; 1 does not smooth.",
            default=5,
            minimum=1,
            maximum=255,
            unit="px",
            odd=True,
        ),
    ),
    border=Border.MIRROR,
    prepare=_smoothing,
    scratch=by_type(uint8=0.5, uint16=3.5, float32=2.5),
)
