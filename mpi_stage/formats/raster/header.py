"""Headers of files of one image: size, channels, type and metadata, no pixels."""

from mpi_stage.errors import DamagedInputError, StageError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.headers import Header, Layout
from mpi_stage.formats.raster.kinds import KINDS, decoder_of

_FIXED_BYTES = 4 << 20


def parse_raster(data: ByteSource, kind: str) -> Header:
    """Read the header of ``data``, a file of format ``kind`` (a key of ``KINDS``).

    Raises DamagedInputError where it is cut short, UnsupportedFormatError for kinds not read.
    """
    try:
        parsed = decoder_of(kind).parse(data)
    except (StageError, MemoryError):
        raise
    except Exception as error:
        # Parsers of other people's raise whatever they stumble over, RuntimeError of AVIF for one.
        raise DamagedInputError(
            f"{data.name} begins like {KINDS[kind].name}, but its header cannot be read ({error}). "
            "The file is damaged or cut short; get a fresh copy."
        ) from error
    spec = parsed.spec
    stored_bytes = data.size_bytes
    return Header(
        spec=spec,
        layout=Layout(kind, None, kind),
        metadata=parsed.metadata,
        divisible=False,
        row_unit=1,
        decode_bytes=spec.total_bytes + stored_bytes + parsed.extra_bytes_per_px * spec.pixels + _FIXED_BYTES,
        stored_bytes=stored_bytes,
        decoded_bytes=spec.total_bytes,
    )
