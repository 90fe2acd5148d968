"""The names of the metrics are what dashboards, rules and documents were written for."""

import re

from pipeline.metrics import METRICS, as_markdown


def test_the_documented_table_is_that_of_the_program(request):
    page = (request.config.rootpath / "docs" / "metrics.md").read_text()
    assert as_markdown() in page, "put the output of pipeline.metrics.as_markdown() into docs/metrics.md"


def test_every_name_is_one_that_prometheus_takes_and_stands_once():
    names = [metric.exported for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_ray_is_given_plain_letters_as_it_wants_them():
    assert all(metric.meaning.isascii() for metric in METRICS)
