"""Who signs V4 links: the key of a service account, or Google's IAM service on its behalf."""

from collections.abc import Callable

from google.auth import iam
from google.auth.credentials import Credentials, Signing

from pipeline.errors import LinkError


class IamSigning(Credentials, Signing):
    """Signs in the name of a service account whose key is nowhere on this machine.

    On Compute Engine the attached service account signs with ``signBlob`` of the IAM service; it
    needs the role *Service Account Token Creator* on itself.

    Parameters
    ----------
    credentials: authorise the calls of the IAM service.
    email: of the service account.
    request: a ``google.auth.transport.Request``.

    """

    def __init__(self, credentials: Credentials, email: str, request: Callable[..., object]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth is typed in part
        self._email = email
        self._iam = iam.Signer(request, credentials, email)  # type: ignore[no-untyped-call]

    @property
    def signer_email(self) -> str:
        """Return the e-mail address of the service account."""
        return self._email

    @property
    def signer(self) -> iam.Signer:
        """Return the signer."""
        return self._iam

    def sign_bytes(self, message: bytes) -> bytes:
        """Return the signature. Raises ``google.auth.exceptions.TransportError`` if IAM refuses."""
        signature: bytes = self._iam.sign(message)
        return signature

    def refresh(self, request: object) -> None:
        """Do nothing: these credentials only sign."""


def signing_credentials(
    credentials: Credentials, make_request: Callable[[], Callable[..., object]]
) -> Signing:
    """Return credentials that can sign, made of those that the client has.

    Raises
    ------
    LinkError
        If they belong to no service account.

    """
    if isinstance(credentials, Signing):
        return credentials
    if not hasattr(credentials, "service_account_email"):
        raise LinkError(
            "links to Google Cloud Storage need a service account, and these credentials belong to none; "
            "set the file of a service account's key"
        )
    request = make_request()
    if credentials.service_account_email == "default":
        # The metadata server tells the address with the first token.
        credentials.refresh(request)  # type: ignore[no-untyped-call]
    return IamSigning(credentials, credentials.service_account_email, request)
