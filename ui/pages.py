"""The pages there are, in the order of the menu, and who sees which."""

from collections.abc import Callable
from dataclasses import dataclass

from ui.filter_page import filter_page
from ui.jobs.page import jobs_page
from ui.jobs.section import JOBS_PATH
from ui.notifications.page import notifications_page
from ui.operators.page import operators_page


@dataclass(frozen=True)
class Page:
    """A page: a function that draws it, and how the menu shows it.

    Attributes
    ----------
    title, icon: what the menu and the browser's tab say; the icon is of Material Symbols, ``:material/…:``.
    draw: called at every drawing, below the head that all pages share.
    path: the last part of its address; that of the first page is empty.
    operators_only: whether it is there for operators alone.
    needs_service: whether it has nothing to show while the service cannot be reached.

    """

    title: str
    icon: str
    draw: Callable[[], None]
    path: str
    operators_only: bool = False
    needs_service: bool = True


NOTIFICATIONS = "notifications"

PAGES = (
    Page("Filter", ":material/image:", filter_page, ""),
    Page("Jobs", ":material/list:", jobs_page, JOBS_PATH),
    Page("Notifications", ":material/notifications:", notifications_page, NOTIFICATIONS),
    Page(
        "Operators",
        ":material/monitor_heart:",
        operators_page,
        "operators",
        operators_only=True,
        needs_service=False,
    ),
)


def pages_for(*, is_operator: bool) -> list[Page]:
    """Return the pages that somebody sees; the first is where they begin."""
    return [page for page in PAGES if is_operator or not page.operators_only]
