"""What may be the address of a webhook, as far as its text tells."""

from urllib.parse import SplitResult, urlsplit

from pipeline.errors import InvalidJobError

MAX_URL_CHARACTERS = 2000
_FIRST_PRINTABLE = 33


def check_webhook(url: str) -> SplitResult:
    """Return the parts of a webhook's URL. Raises InvalidJobError if it is none.

    Where its host name leads is checked when it is called, since that may change in between.
    """
    if len(url) > MAX_URL_CHARACTERS or any(ord(letter) < _FIRST_PRINTABLE for letter in url):
        raise InvalidJobError(
            f"a webhook's URL has at most {MAX_URL_CHARACTERS} characters and no blanks; got {url[:80]!r}"
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidJobError(f"the webhook {url[:80]!r} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidJobError(f"a webhook's URL is http://host/path or https://host/path; got {url[:80]!r}")
    if parts.username is not None or parts.password is not None:
        raise InvalidJobError("a webhook's URL holds no user name or password; the body is signed instead")
    return parts
