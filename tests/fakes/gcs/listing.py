"""The listing of a bucket: prefix, delimiter, pages."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress

from fakes.gcs.answers import MissingError, Response
from fakes.gcs.objects import Objects


def list_objects(objects: Objects, bucket: str, query: Mapping[str, str], page_size: int) -> Response:
    """Answer with one page of names in order; what a delimiter cuts off is told as prefixes."""
    limit = min(int(query.get("maxResults", page_size)), page_size)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = base64.urlsafe_b64decode(query.get("pageToken", "")).decode()
    # Names under one folder become one entry; a dictionary keeps the order.
    entries = {
        _cut(name, prefix, delimiter): None for name in objects.names(bucket) if name.startswith(prefix)
    }
    left = [entry for entry in entries if entry > after]
    shown = left[:limit]
    folders = [entry for entry in shown if delimiter and entry.endswith(delimiter) and entry != prefix]
    page: dict[str, object] = {
        "kind": "storage#objects",
        "items": list(_resources(objects, bucket, [entry for entry in shown if entry not in folders])),
        "prefixes": folders,
    }
    if len(left) > limit:
        page["nextPageToken"] = base64.urlsafe_b64encode(shown[-1].encode()).decode()
    return Response.json({name: value for name, value in page.items() if value})


def _resources(objects: Objects, bucket: str, names: list[str]) -> Iterator[dict[str, object]]:
    for name in names:
        with suppress(MissingError):  # deleted since
            yield objects.get(bucket, name, {}).resource()


def _cut(name: str, prefix: str, delimiter: str) -> str:
    """Return the name up to and with the first delimiter after the prefix; all of it without one."""
    end = name.find(delimiter, len(prefix)) if delimiter else -1
    return name if end < 0 else name[: end + len(delimiter)]
