"""Images that installed packages ship: each is filtered, or refused with a typed error."""

from corpus import images
from tally import Tally


def test_images_of_other_projects_become_results_or_typed_errors(arena):
    tally = Tally()
    for path in images():
        tally.take(str(path), arena.run(path))
    assert tally.wrong == []
    assert tally.kinds["good"] > 0
