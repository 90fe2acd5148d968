"""CRC32C and MD5 as Google Cloud Storage states and checks them."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import google_crc32c
from fakes.gcs.answers import BadRequestError


@dataclass(frozen=True)
class Checksums:
    """Both checksums of some bytes, in base64; a composed object has no MD5."""

    crc32c: str
    md5: str | None

    @classmethod
    def of(cls, data: bytes) -> "Checksums":
        """Sum up ``data``."""
        crc32c = google_crc32c.value(data).to_bytes(4, "big")
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        return cls(base64.b64encode(crc32c).decode(), base64.b64encode(md5).decode())

    def header(self) -> str:
        """Return the value of ``x-goog-hash``."""
        return f"crc32c={self.crc32c}" + (f",md5={self.md5}" if self.md5 else "")

    def check(self, stated: Mapping[str, str]) -> None:
        """Refuse bytes that are not those the sender made its checksums of."""
        for name, calculated in (("crc32c", self.crc32c), ("md5", self.md5)):
            if name in stated and stated[name] != calculated:
                raise BadRequestError(
                    f'Provided {name.upper()} "{stated[name]}" doesn\'t match calculated '
                    f'{name.upper()} "{calculated}".'
                )


def stated_in(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the checksums of an ``x-goog-hash`` header."""
    pairs = (
        part.strip().partition("=") for part in headers.get("x-goog-hash", "").split(",") if part.strip()
    )
    return {name: value for name, _, value in pairs}


def stated_about(resource: Mapping[str, object]) -> dict[str, str]:
    """Return the checksums in the metadata that comes with an upload."""
    fields = {"crc32c": resource.get("crc32c"), "md5": resource.get("md5Hash")}
    return {name: str(value) for name, value in fields.items() if value}
