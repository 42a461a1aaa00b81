"""A real Prometheus scrapes a real exporter: our metrics are sound, our rules are evaluated, and no panel is empty."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass

import pytest

from services.exporter import server
from services.store.pool import Store
from tests.api import seeded
from tests.api.seeded import palmyra
from tests.channels.conftest import free_port
from tests.deploy.reading import DASHBOARDS, RULES, dashboard, rules
from tests.monitoring import find
from tests.waiting import wait

__all__ = ["palmyra"]
needs = pytest.mark.skipif(not find("prometheus"), reason="prometheus is not installed (Debian: prometheus)")
QUIET = {"Feed lag", "Precision", "Recall", "Agreement of judges"}
"""Panels that may show nothing: live feeds, which a replay has none of, and frames that people have judged."""
CONFIG = """
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: ["RULES"]
scrape_configs:
  - {job_name: framewatch, scrape_timeout: 400ms, static_configs: [{targets: ["TARGET"]}]}
"""
VALUES = {"codebook": "palmyra-2016", "frame": "staged-theatrics", "source": "jsonl"}


@dataclass
class Prometheus:
    base: str

    def ask(self, path, **values):
        with urllib.request.urlopen(f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(values)}") as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]


@pytest.fixture(scope="module")
def exporter(palmyra):
    store = Store(palmyra, size=1)
    listening, thread = server.start(store, host="127.0.0.1", port=0, now=lambda: seeded.NOW)
    yield f"127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()
    store.close()


@pytest.fixture(scope="module")
def prometheus(exporter, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(CONFIG.replace("RULES", str(RULES)).replace("TARGET", exporter))
    argv = [find("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]  # fmt: skip
    process = subprocess.Popen(argv, cwd=folder)
    asked = Prometheus(f"http://127.0.0.1:{port}")

    def ready():
        try:
            return asked.query("count_over_time(framewatch_up[1m]) >= 4 and on () stage:framewatch_stage_runs:rate5m")
        except OSError:
            return False

    try:
        wait(ready, 60, every=0.2)
        yield asked
    finally:
        process.terminate()
        process.wait(20)


def filled(text):
    """An expression or query with the template's variables filled in, as Grafana would."""
    text = text.replace("$__rate_interval", "1m")
    return re.sub(r"\$\{?(codebook|frame|source)\}?", lambda m: VALUES[m[1]], text)


def panels():
    for path in DASHBOARDS:
        for panel in dashboard(path)["panels"]:
            for query in panel.get("targets", ()):
                yield pytest.param(panel, query, id=f"{path.stem}: {panel['title']} {query['refId']}")


@needs
@pytest.mark.parametrize(("panel", "query"), [*panels()])
def test_no_panel_is_empty(prometheus, panel, query):
    found = prometheus.query(filled(query["expr"]))
    judged = "_precision_ratio" in query["expr"] and panel["type"] == "table"
    assert found or panel["title"] in QUIET or judged, query["expr"]
    wanted = set(re.findall(r"\{\{(\w+)\}\}", query["legendFormat"]))
    assert all(wanted <= set(one["metric"]) or len(one["metric"]) == 0 for one in found)


@needs
def test_the_variables_have_something_to_choose_from(prometheus):
    for path in DASHBOARDS:
        chosen = [v for v in dashboard(path)["templating"]["list"] if v["type"] == "query"]
        assert chosen
        for variable in chosen:
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", filled(variable["query"]["query"])).groups()
            values = prometheus.ask(f"label/{label}/values", **{"match[]": selector})
            assert VALUES[variable["name"]] in values


@needs
def test_every_rule_is_evaluated_and_a_burst_is_an_annotation(prometheus):
    groups = prometheus.ask("rules")["groups"]
    known = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert set(known) == {rule.get("record") or rule["alert"] for rule in rules()}
    assert not [(name, rule.get("lastError")) for name, rule in known.items() if rule["health"] == "err"]
    for path in DASHBOARDS:
        for one in dashboard(path)["annotations"]["list"]:
            prometheus.query(one["expr"])


@pytest.mark.skipif(not find("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_promtool_finds_nothing_to_say_of_the_metrics(exporter):
    with urllib.request.urlopen(f"http://{exporter}/metrics") as answer:
        body = answer.read()
    done = subprocess.run([find("promtool"), "check", "metrics"], input=body, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
