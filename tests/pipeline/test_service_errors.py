"""The tree that the errors' module draws is the one that there is."""

import re

import pytest

from pipeline import errors

_LINE = re.compile(r"    ([│├└─ ]*)(\w+Error) *(.*)")
_INDENT = 4


def drawn():
    """Return for each error that is drawn: its parent's name, and what is said of it."""
    found, above = {}, []
    for match in filter(None, map(_LINE.fullmatch, errors.__doc__.splitlines())):
        above[len(match[1]) // _INDENT :] = [match[2]]
        found[match[2]] = (above[-2] if len(above) > 1 else "Exception", match[3])
    return found


def there():
    """Return the errors of the module by name."""
    return {name: one for name, one in vars(errors).items() if isinstance(one, type)}


def test_every_error_is_drawn_below_its_parent():
    parents = {name: one.__base__.__name__ for name, one in there().items()}
    assert {name: parent for name, (parent, _) in drawn().items()} == parents


@pytest.mark.parametrize("name", there())
def test_what_is_drawn_says_whether_another_try_may_help_and_how_to_exit(name):
    said, one = drawn()[name][1], there()[name]
    assert said.startswith("retryable") == one.retryable
    stated = re.match(r"exit (\d)", said)
    assert one.exit_code == (int(stated[1]) if stated else 1)
