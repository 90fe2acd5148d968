"""Which pages there are, and who sees them."""

from ui.pages import PAGES, pages_for


def test_everybody_begins_at_the_page_whose_address_is_the_service_s():
    for is_operator in (True, False):
        first, *others = pages_for(is_operator=is_operator)
        assert first.path == ""
        assert all(page.path for page in others)


def test_an_operator_sees_all_pages_and_others_those_that_are_not_for_operators():
    assert pages_for(is_operator=True) == list(PAGES)
    assert pages_for(is_operator=False) == [page for page in PAGES if not page.operators_only]


def test_no_two_pages_have_an_address_or_a_title_in_common():
    assert len({page.path for page in PAGES}) == len({page.title for page in PAGES}) == len(PAGES)
