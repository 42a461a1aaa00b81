import json
import subprocess
import sys

import jsonschema
import pytest
import yaml

from services.analysis.conditions import CONDITIONS
from tests.deploy.reading import (
    DASHBOARDS,
    DEPLOY,
    RULES,
    compose,
    dashboard,
    matchers_in,
    names_in,
    panel_expressions,
    rules,
    services,
    told,
)
from tests.monitoring import find

SCHEMA = json.loads((DEPLOY.parent / "tests/deploy/data/grafana-dashboard-13.2.3.schema.json").read_text("utf-8"))
EXPRESSIONS = [*panel_expressions(), *((r.get("record") or r["alert"], r["expr"]) for r in rules())]
RECORDS = {rule["record"] for rule in rules() if "record" in rule}
TEST_SERIES = [
    series["series"]
    for test in yaml.safe_load((DEPLOY / "prometheus/rules_test.yml").read_text("utf-8"))["tests"]
    for series in test["input_series"]
]


def installed(tool):
    return pytest.mark.skipif(not find(tool), reason=f"{tool} is not installed (Debian: prometheus packages)")


def run(tool, *more):
    done = subprocess.run([find(tool) or tool, *more], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS, ids=[place for place, _ in EXPRESSIONS])
def test_every_metric_is_one_the_exporter_tells(place, expression):
    names = names_in(expression)
    assert names or "up{" in expression
    assert names - RECORDS <= set(told())
    for metric, label, operator, value in matchers_in(expression):
        assert label in told()[metric], f"{metric} has no label {label}"
        if label in ("state", "stage", "window", "kind", "outcome") and operator in ("=", "!="):
            assert value in told()[metric][label], f"{metric} never says {label}={value}"


def test_every_metric_is_shown_or_watched():
    read = {name for _, expression in EXPRESSIONS for name in names_in(expression)}
    # A panel of what is off by default would be empty in every house that left it so.
    assert set(told()) - {"framewatch_frame_stance_posts"} <= read


@pytest.mark.parametrize("series", sorted(set(TEST_SERIES)))
def test_the_rules_are_tested_on_series_the_exporter_tells(series):
    assert names_in(series) <= set(told())
    for metric, label, _, value in matchers_in(series):
        assert label in told()[metric]
        if label in ("state", "stage", "outcome"):
            assert value in told()[metric][label]


def test_every_alert_says_what_is_wrong_and_what_to_do_and_is_tested():
    tests = (DEPLOY / "prometheus/rules_test.yml").read_text("utf-8")
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"critical", "warning", "info"}
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["description"]
            assert rule["alert"] in tests, f"{rule['alert']} is not in rules_test.yml"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_dashboards_are_what_grafana_reads(path):
    validator = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    read = dashboard(path)
    # Of annotations the schema knows only Grafana's own (a TODO of theirs); a data source's are a query beside that.
    queries = [{key: one.pop(key) for key in ("expr", "step", "titleFormat", "textFormat", "useValueForTime")}
               for one in read["annotations"]["list"]]  # fmt: skip
    assert all(query["expr"].startswith("ALERTS{") for query in queries)
    errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(read)]
    assert not errors
    broken = read | {"panles": []}
    assert not validator.is_valid(broken), "the schema is meant to be strict"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_panels_do_not_overlap_and_are_explained(path):
    panels = dashboard(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


def test_dashboards_name_every_condition_of_a_frame_as_people_are_told_it():
    timelines = [p for path in DASHBOARDS for p in dashboard(path)["panels"] if p["type"] == "state-timeline"]
    assert timelines
    for panel in timelines:
        (mapping,) = (m for m in panel["fieldConfig"]["defaults"]["mappings"] if m["type"] == "value")
        numbered = {text["text"]: number for number, text in mapping["options"].items()}
        assert set(numbered) == set(CONDITIONS)
        expression = panel["targets"][0]["expr"]
        for word, number in numbered.items():
            assert f"{number} * max by (codebook, frame) (framewatch_frame_condition" in expression
            assert f'condition="{word}"' in expression.split(f"{number} * ")[1].split(" or ")[0]


def test_the_dashboards_are_as_they_are_built(tmp_path):
    run(sys.executable, str(DEPLOY / "grafana/build.py"), str(tmp_path))
    assert [p.name for p in DASHBOARDS] == sorted(p.name for p in tmp_path.iterdir())
    for path in DASHBOARDS:
        assert path.read_text("utf-8") == (tmp_path / path.name).read_text("utf-8"), "run deploy/grafana/build.py"


def test_the_dashboard_finds_its_data_source_and_grafana_finds_both():
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    providers = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/framewatch.yml").read_text("utf-8"))
    chosen = dashboard(DASHBOARDS[0])["templating"]["list"][0]
    assert chosen["current"]["value"] == sources["datasources"][0]["uid"]
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.rpartition("/")[2] in [p.name for p in DASHBOARDS]
    mounts = [mount.split(":")[1] for mount in services()["grafana"]["volumes"]]
    assert providers["providers"][0]["options"]["path"] in mounts


def test_prometheus_and_alertmanager_are_where_they_are_looked_for():
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    targets = [target for job in config["scrape_configs"] for s in job["static_configs"] for target in s["targets"]]
    targets += [t for a in config["alerting"]["alertmanagers"] for s in a["static_configs"] for t in s["targets"]]
    hosts = {target.split(":")[0] for target in targets} - {"127.0.0.1"}
    assert hosts <= set(services())
    assert all("front" in services()[host]["networks"] for host in hosts)
    assert f"exporter:{services()['exporter']['environment']['FRAMEWATCH_EXPORTER_PORT']}" in targets
    assert all((RULES.parent / name).is_file() for name in config["rule_files"])
    assert compose()["networks"]["front"] == {}


@installed("promtool")
def test_promtool_reads_config_and_rules_and_the_rules_do_what_their_tests_say():
    run("promtool", "check", "config", str(DEPLOY / "prometheus/prometheus.yml"))
    run("promtool", "test", "rules", str(DEPLOY / "prometheus/rules_test.yml"))


@installed("promtool")
def test_promtool_reads_every_panel(tmp_path):
    # As recording rules, since promtool of Debian has no command that only parses an expression.
    expressions = [e.replace("$__rate_interval", "1m") for _, e in panel_expressions()]
    group = {"name": "panels", "rules": [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(expressions)]}
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [group]}), "utf-8")
    run("promtool", "check", "rules", str(tmp_path / "panels.yml"))


@installed("amtool")
def test_amtool_reads_the_routes():
    run("amtool", "check-config", str(DEPLOY / "alertmanager/alertmanager.yml"))
