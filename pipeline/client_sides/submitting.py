"""The side of a client that submits jobs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mpi_stage.contract import Request
from pipeline.client_sides.base import Side
from pipeline.desks.presets import PresetBook
from pipeline.desks.uploads import Uploads
from pipeline.models import JobStatus
from pipeline.previews.requests import preview_request
from pipeline.submitting import submission
from pipeline.submitting.orders import Order

Steps = str | list[dict[str, Any]]


class Submitting(Side):
    """Submits jobs, and has what it takes for that: previews, presets and uploads."""

    def submit(
        self,
        input: str | Path,  # noqa: A002  (the word of the command line and the page)
        steps: Steps,
        **options: Any,  # noqa: ANN401  (named and typed in pipeline.submitting.orders.Order)
    ) -> JobStatus:
        """Submit a local file, which is uploaded, or an object of the store by its URI.

        Options, all by name: ``input_name``, ``output`` (URI of an object or, ending in ``/``, of a
        folder in the same store), ``priority`` (-10 to 10), ``key`` (idempotency key), ``user``,
        ``batch``, ``webhook``, ``ranks``, ``device``, ``memory_bytes``, ``block_rows``; which image of
        the input: ``page``, ``plane`` (``z=3,c=1``), ``level``; how the output is written:
        ``format`` (``cog``), ``compression``, ``quality``, ``tile``; and ``digest``, False to do without
        that of the pixels. Raises QuotaError, PipelineError, MissingInputError, InvalidJobError,
        KeyRefusedError, StoreError.
        """
        return submission.submit(self._parts, self.order(input, steps, **options))

    def submit_many(self, orders: Iterable[Order]) -> list[JobStatus]:
        """Submit what :meth:`order` has made, many at a time; return the statuses in the same order.

        One that fails is raised after those before it and around it have been accepted: submitted
        again with the same idempotency keys, they are the same jobs. Errors as for :meth:`submit`.
        """
        return submission.submit_many(self._parts, orders)

    def submit_bytes(self, data: bytes, name: str, steps: Steps, **options: Any) -> JobStatus:  # noqa: ANN401
        """Submit an image held in memory under a file name; options and errors as for :meth:`submit`."""
        return submission.submit(self._parts, self.order(name, steps, **{**options, "data": data}))

    def order(
        self,
        input: str | Path,  # noqa: A002  (as above)
        steps: Steps,
        **options: Any,  # noqa: ANN401  (as above)
    ) -> Order:
        """Return what :meth:`submit` would submit, for :meth:`submit_many`; options as there."""
        defaults = {
            "memory_bytes": int(self._settings.memory_bytes),
            "limits": self._settings.limits,
            "max_ranks": self._settings.most_cores or None,
        }
        stated = {name: value for name, value in options.items() if value is not None}
        if "data" not in stated:
            self._gate.check_text(input)
        stated["user"] = self._gate.submitter(stated.get("user"), self._settings.user)
        return Order(input=input, steps=steps, **{**defaults, **stated})

    def preview_request(self, uri: str, steps: list[dict[str, Any]], name: str) -> tuple[Request, str]:
        """Return what the stage is asked for a preview of an object, and what names the object's content.

        Raises KeyRefusedError, ObjectNotFoundError, StoreError, PipelineError.
        """
        return preview_request(self._parts, self._settings, self.order(uri, steps, input_name=name))

    def presets(self) -> PresetBook:
        """Return the presets that are there for whom this client acts."""
        return PresetBook(self._parts.store, self._gate.submitter(None, self._settings.user))

    def uploads(self) -> Uploads:
        """Return where browsers' uploads are begun, gone on with and ended."""
        return Uploads(self._parts, self._gate, self._user, self._settings.upload_limits)
