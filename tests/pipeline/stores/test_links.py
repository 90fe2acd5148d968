"""Signed links as pure functions; what stores do with them stands in the contract suite."""

from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import LinkError
from pipeline.stores.links import (
    USER_LINK_METHODS,
    Link,
    link_url,
    sign_link,
    sign_user_link,
    verify_link,
    verify_user_link,
)

SECRET = b"a secret for tests only"
NOW = 1_750_000_000

keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
filenames = st.none() | keys


@given(key=keys, method=st.sampled_from(["GET", "PUT"]), filename=filenames, life_s=st.integers(1, 10**6))
def test_a_link_allows_what_was_signed(key: str, method: str, filename: str | None, life_s: int) -> None:
    query = sign_link(SECRET, key, method=method, expires_at=NOW + life_s, filename=filename)

    link = verify_link(SECRET, key, query, method=method, now=NOW)

    assert link == Link(key, method, NOW + life_s, filename)


@given(data=st.data())
def test_changing_any_character_breaks_a_link(data: st.DataObject) -> None:
    query = sign_link(SECRET, "a/b.tif", expires_at=NOW + 60, filename="c d.tif")
    position = data.draw(st.integers(0, len(query) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = query[:position] + other + query[position + 1 :]
    if parse_qs(changed) == parse_qs(query):
        return  # the same link in another spelling

    with pytest.raises(LinkError):
        verify_link(SECRET, "a/b.tif", changed, method="GET", now=NOW)


def test_key_and_method_cannot_be_shifted_into_one_another() -> None:
    query = sign_link(SECRET, "a", expires_at=NOW + 60, filename="b\u20281")

    for key in ("a\n1", "GET\na", ""):
        with pytest.raises(LinkError, match="altered"):
            verify_link(SECRET, key, query, method="GET", now=NOW)


def test_a_link_holds_until_its_last_second_and_not_in_it() -> None:
    query = sign_link(SECRET, "key", expires_at=NOW + 60)

    verify_link(SECRET, "key", query, method="GET", now=NOW + 59.9)
    with pytest.raises(LinkError, match="expired"):
        verify_link(SECRET, "key", query, method="GET", now=NOW + 60)


def test_a_link_of_another_secret_is_refused() -> None:
    query = sign_link(b"another", "key", expires_at=NOW + 60)

    with pytest.raises(LinkError, match="another secret"):
        verify_link(SECRET, "key", query, method="GET", now=NOW)


def test_a_link_for_get_answers_head_and_one_for_put_does_not() -> None:
    for_get = sign_link(SECRET, "key", method="GET", expires_at=NOW + 60)
    for_put = sign_link(SECRET, "key", method="PUT", expires_at=NOW + 60)

    assert verify_link(SECRET, "key", for_get, method="HEAD", now=NOW).method == "GET"
    with pytest.raises(LinkError, match="allows PUT, not HEAD"):
        verify_link(SECRET, "key", for_put, method="HEAD", now=NOW)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "method=GET",
        "nonsense",
        "method=GET&expires=soon&signature=00",
        "method=GET&expires=-1&signature=00",
        "method=GET&expires=1_0&signature=00",
        "method=GET&expires=9999999999&signature=" + quote("ü"),
        "method=GET&expires=9999999999&signature=%ff",
        "method=GET&expires=9999999999&signature=",
        "&".join(["method=GET"] * 9),
    ],
)
def test_what_is_no_link_is_refused(query: str) -> None:
    with pytest.raises(LinkError):
        verify_link(SECRET, "key", query, method="GET", now=NOW)


def test_a_part_that_comes_twice_is_refused() -> None:
    query = sign_link(SECRET, "key", expires_at=NOW + 60)

    with pytest.raises(LinkError):
        verify_link(SECRET, "key", f"{query}&method=PUT", method="PUT", now=NOW)


def test_no_link_is_signed_or_accepted_without_a_secret() -> None:
    with pytest.raises(LinkError, match="without a secret"):
        sign_link(b"", "key", expires_at=NOW + 60)
    with pytest.raises(LinkError, match="without a secret"):
        verify_link(b"", "key", "method=GET&expires=1&signature=00", method="GET", now=NOW)


def test_the_base_and_the_key_make_a_url() -> None:
    assert link_url("http://host:1/", "a b/ü?.tif", "q=1") == "http://host:1/files/a%20b/%C3%BC%3F.tif?q=1"


@given(key=keys, user=keys, method=st.sampled_from(USER_LINK_METHODS))
def test_a_users_link_names_its_user_and_is_none_to_a_file(key: str, user: str, method: str) -> None:
    query = sign_user_link(SECRET, key, user, method=method, expires_at=NOW + 60)

    assert verify_user_link(SECRET, key, query, method=method, now=NOW) == user
    with pytest.raises(LinkError):
        verify_link(SECRET, key, query, method=method, now=NOW)


def test_no_part_of_a_users_link_can_be_changed() -> None:
    query = sign_user_link(SECRET, "a", "ann", method="PATCH", expires_at=NOW + 60)
    to_a_file = sign_link(SECRET, "a", expires_at=NOW + 60)

    for changed in (
        query.replace("user=ann", "user=eve"),
        query.replace("user=ann&", ""),
        query.replace("PATCH", "DELETE"),
        to_a_file,
        to_a_file.replace("&signature", "&user=ann&signature"),
    ):
        for method in ("PATCH", "DELETE", "GET"):
            with pytest.raises(LinkError):
                verify_user_link(SECRET, "a", changed, method=method, now=NOW)
    with pytest.raises(LinkError, match="expired"):
        verify_user_link(SECRET, "a", query, method="PATCH", now=NOW + 60)


@pytest.mark.parametrize(("user", "method"), [("", "GET"), ("a\nb", "GET"), ("ann", "PUT")])
def test_no_users_link_is_signed_for_nobody_or_for_what_there_is_not(user: str, method: str) -> None:
    with pytest.raises(LinkError):
        sign_user_link(SECRET, "a", user, method=method, expires_at=NOW + 60)
