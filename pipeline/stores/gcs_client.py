"""A client of Google Cloud Storage, with credentials."""

from pathlib import Path

from google.api_core.client_options import ClientOptions
from google.cloud import storage
from google.oauth2 import service_account

from pipeline.errors import StoreError
from pipeline.stores.gcs_errors import mapped_errors


def connect(*, endpoint: str | None = None, credentials_file: Path | None = None) -> storage.Client:
    """Return a client.

    Parameters
    ----------
    endpoint: the address of the service; Google's own by default.
    credentials_file: the key of a service account, JSON; the machine's own credentials by default.

    Raises
    ------
    StoreError
        If there are no credentials.

    """
    credentials = _from_file(credentials_file) if credentials_file else None
    options = ClientOptions(api_endpoint=endpoint)
    if credentials:
        options.universe_domain = credentials.universe_domain
    with mapped_errors(endpoint or "gs://"):
        return storage.Client(project=None, credentials=credentials, client_options=options)


def _from_file(path: Path) -> service_account.Credentials:
    read = service_account.Credentials.from_service_account_file
    try:
        credentials: service_account.Credentials = read(str(path))  # type: ignore[no-untyped-call]  # no types
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} is not the key of a service account; download one as JSON") from error
    return credentials
