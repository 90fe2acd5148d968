"""The bytes of an object, whole or a range of them."""

import re

from fakes.gcs.answers import RangeError, Request, Response
from fakes.gcs.objects import StoredObject

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def media(found: StoredObject, request: Request) -> Response:
    """Answer with the bytes that the request's ``Range`` asks for, all of them without one."""
    header = request.headers.get("range")
    asked = _RANGE.fullmatch(header) if header else None
    if asked is None or not any(asked.groups()):
        return Response(200, found.data, found.headers())
    size = len(found.data)
    first, last = asked.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        raise RangeError(f"The object has {size} bytes, and the range is {header}.")
    headers = found.headers() | {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Response(206, found.data[start : end + 1], headers)
