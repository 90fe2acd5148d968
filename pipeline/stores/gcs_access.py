"""What the ranks get in order to reach a bucket: a token that lives for an hour or less."""

from collections.abc import Callable

from google.auth.credentials import Credentials

from mpi_stage.contract import Access

_Request = Callable[..., object]


def access_to(endpoint: str, credentials: Credentials, make_request: Callable[[], _Request]) -> Access:
    """Return the access that the credentials give; a new token where the last one is about to end.

    Raises what ``google.auth`` raises where no token can be had.
    """
    if not credentials.valid:
        credentials.refresh(make_request())  # type: ignore[no-untyped-call]  # google-auth is typed in part
    return Access(endpoint=endpoint, token=credentials.token)
