"""The side of a client that finds what may be an input."""

from collections.abc import Sequence

from pipeline.client_sides.following import Following
from pipeline.desks.browse import Found, Listing, images_below, places, results
from pipeline.models import JobStatus
from pipeline.submitting.outside import matching


class Finding(Following):
    """Finds objects by their URIs, and what of them may be an input."""

    def uri_of(self, place: str) -> str:
        """Return the URI of a place in the store: as it is, or made from a key or the beginning of one."""
        if "://" in place:
            return place
        # What a store makes of a key is only defined for whole ones.
        return self._parts.store.uri(f"{place}x").removesuffix("x")

    def matching(self, pattern: str) -> list[str]:
        """Return the URIs that a pattern such as ``gs://bucket/scans/*.tif`` stands for.

        Raises KeyRefusedError, ObjectNotFoundError, StoreError.
        """
        self._may_read_below(pattern)
        return matching(self._parts.store, pattern, self._parts.places.buckets)

    def objects(self, uri: str) -> list[str]:
        """Return the URIs of the objects whose URIs start with ``uri``. Raises KeyRefusedError."""
        self._may_read_below(uri)
        prefix = self._parts.store.key_of(f"{uri}x").removesuffix("x")
        return [self._parts.store.uri(info.key) for info in self._parts.store.list(prefix)]

    def places(self) -> list[str]:
        """Return the URIs below which inputs may lie."""
        return places(self._parts, self._user)

    def images_below(self, place: str, suffixes: Sequence[str]) -> Listing:
        """Return the images below a URI, by the ends of their names, and Zarrs.

        Raises KeyRefusedError for a place that inputs may not lie in, StoreError.
        """
        return images_below(self._parts, self._gate, self._user, place, suffixes)

    def results(self, *, limit: int = 100) -> list[tuple[JobStatus, Found]]:
        """Return what the newest jobs have made, as inputs of further ones. Raises QueueUnavailableError."""
        return results(self._parts.store, self.jobs(limit=limit))
