"""Dashboard and rules speak of metrics and tags that exist, and the runbook of every alert."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pipeline.alerts.rules import rules_of
from pipeline.config import Settings
from pipeline.metrics import METRICS, Kind
from pipeline.models import Alert, AlertState, now

ROOT = Path(__file__).parent.parent
DASHBOARD = json.loads((ROOT / "monitoring" / "grafana-dashboard.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "monitoring" / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OWN = {
    Alert(id=rule.name, state=AlertState.RAISED, since=now(), text="").runbook: rule.name
    for rule in rules_of(Settings.load(find_service=False))
}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {
    **{f"{panel['title']}: {one['expr']}": one["expr"] for panel in PANELS for one in panel["targets"]},
    **{rule.get("alert") or rule["record"]: rule["expr"] for rule in RULES},
}

# Ray's own, of each node; from its reporter for metrics.
OF_RAY = {
    f"ray_node_{name}" for name in ("cpu_utilization", "mem_used", "mem_total", "disk_free", "disk_usage")
}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
TAGS = {
    **{metric.exported: set(metric.tags) for metric in METRICS if metric.kind is not Kind.HISTOGRAM},
    **{
        f"{metric.exported}{end}": {*metric.tags, *({"le"} if end == "_bucket" else ())}
        for metric in METRICS
        if metric.kind is Kind.HISTOGRAM
        for end in ("_bucket", "_sum", "_count")
    },
    **{name: {"ip"} for name in OF_RAY},
    **{name: {"lane", "state"} for name in RECORDED},
}
SELECTOR = re.compile(r"\b((?:ray|halorow)[_:][a-zA-Z0-9_:]+)(?:\{([^}]*)\})?")


def selectors(expression):
    """Return each metric of an expression with the tags that are asked for in braces."""
    return [(name, re.findall(r"(\w+)\s*=~?", tags)) for name, tags in SELECTOR.findall(expression)]


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_every_metric_that_is_named_exists_and_has_the_tags_that_are_asked_for(where):
    expression = EXPRESSIONS[where]
    named = selectors(expression)
    assert named
    grouped = {tag for tags in re.findall(r"by \(([^)]*)\)", expression) for tag in re.split(r",\s*", tags)}
    for name, tags in named:
        assert name in TAGS, f"there is no metric {name}"
        assert {*tags, *(grouped if len(named) == 1 else ())} <= TAGS[name], expression
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_counters_are_only_looked_at_as_rates(where):
    counting = {metric.exported for metric in METRICS if metric.kind is not Kind.GAUGE}
    for name in re.findall(r"(?<!rate\()(?<!increase\()\b(ray_halorow_\w+)", EXPRESSIONS[where]):
        assert not any(name.startswith(counter) for counter in counting), EXPRESSIONS[where]


def test_a_name_that_does_not_exist_would_be_noticed():
    assert [name for name, _ in selectors("max(ray_halorow_nothing)") if name not in TAGS]


def test_rays_reporter_tells_the_metrics_that_are_taken_from_it():
    reporter = pytest.importorskip("ray.dashboard.modules.reporter.reporter_agent")
    assert {name.removeprefix("ray_") for name in OF_RAY} <= reporter.METRICS_GAUGES.keys()


def test_the_dashboard_shows_every_metric_of_the_table():
    shown = {name for panel in PANELS for one in panel["targets"] for name, _ in selectors(one["expr"])}
    missing = [
        metric.exported for metric in METRICS if not any(name.startswith(metric.exported) for name in shown)
    ]
    assert missing == []


def test_panels_lie_beside_each_other_and_each_says_what_it_shows():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)


def test_the_dashboard_asks_which_prometheus_it_is_to_read():
    (variable,) = DASHBOARD["templating"]["list"]
    wanted = {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
    assert all(panel["datasource"] == wanted for panel in PANELS)
    assert all(one["datasource"] == wanted for panel in PANELS for one in panel["targets"])


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_waits_has_a_severity_and_says_what_it_is_about(rule):
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"} or rule.keys() == {
        "alert",
        "expr",
        "labels",
        "annotations",
    }
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "0m"))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_an_entry_in_the_runbook_that_says_what_to_do(rule):
    entry = re.search(rf"(?ms)^## {rule['alert']}\n(.*?)(?=^## |\Z)", RUNBOOK)
    assert entry is not None, f"docs/runbook.md has no entry {rule['alert']}"
    for word in ("**Means.**", "**Look.**", "**Do.**"):
        assert word in entry[1], f"{rule['alert']} lacks {word}"


def test_the_runbook_has_no_entry_for_an_alert_that_does_not_exist():
    assert (
        set(re.findall(r"(?m)^## (Halorow\w+)$", RUNBOOK)) == {rule["alert"] for rule in ALERTS} | OWN.keys()
    )


@pytest.mark.parametrize("entry", OWN)
def test_every_alert_of_the_service_itself_has_an_entry_too_and_names_settings_that_there_are(entry):
    row = f"| `{OWN[entry]}` | [{entry}](#{entry.lower()}) | "
    settings = re.findall(r"`(\w+)`", RUNBOOK.partition(row)[2].partition("\n")[0])
    assert settings
    assert set(settings) <= Settings.model_fields.keys()
    text = re.search(rf"(?ms)^## {entry}\n(.*?)(?=^## |\Z)", RUNBOOK)[1]
    assert all(word in text for word in ("**Means.**", "**Look.**", "**Do.**"))
