"""People are told once, over kills of the notifier; ``make chaos`` runs it at full length."""

import os

import pytest

from pipeline.channels.models import Medium
from tests.chaos.letters import BEFORE, letters

pytestmark = pytest.mark.slow
KILLS = 20 if os.environ.get("HALOROW_LONG") else 2


def test_killed_while_the_mail_server_has_yet_to_take_it_each_mail_comes_exactly_once(tmp_path):
    run, tally = letters(tmp_path, kills=KILLS, jobs=2 * KILLS + 1, moments=BEFORE, media=[Medium.MAIL])

    assert run.figures["kills"] == KILLS
    assert (tally.missing, tally.unsent) == (0, 0)
    assert set(tally.came.values()) == {1}


def test_killed_at_any_moment_each_comes_and_again_only_where_nobody_could_know(tmp_path):
    run, tally = letters(tmp_path, kills=KILLS + 1, jobs=2 * KILLS)

    assert run.figures["kills"] == KILLS + 1
    assert (tally.missing, tally.unsent, tally.too_often) == (0, 0, 0)
