"""Connected components, numbered: ``label``."""

from dataclasses import replace

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Channels, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.traffic import numbers


def _output(spec: ImageSpec, _params: Params) -> ImageSpec:
    return replace(spec, dtype="uint32")


LABEL = Operation(
    name="label",
    label="Label components",
    help="Numbers the connected parts of what is not 0, from 1 on, in the order of their first pixels, row "
    "by row; the background is 0. The result is uint32, which TIFF can hold; the report has the count. Takes "
    "one channel: put threshold, otsu or another step that leaves one before it.",
    family="morphology",
    pattern=Pattern.GLOBAL,
    reference="scipy.ndimage.label of the whole picture",
    parameters=(
        Parameter(
            "connectivity",
            Kind.CHOICE,
            "Whether a pixel touches its 4 neighbours left, right, above and below, or all 8 around it.",
            default="4",
            choices=("4", "8"),
        ),
    ),
    channels=Channels.GRAY,
    cost=lambda _params, _spec: 50.0,
    output=_output,
    collective="label",
    traffic=numbers,
)
