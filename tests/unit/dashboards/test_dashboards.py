"""The dashboards: up to date, complete, and about metrics that exist."""

from __future__ import annotations

import configparser
import json
import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboards import marks
from dashboards.__main__ import DASHBOARDS, JSON, complaints, main, outdated, write

from ipclab import mechanisms
from ipclab.metrics import definitions as metrics
from labctl.config import compose_file
from labctl.grafana import annotation, client
from labctl.terminal.colours import of_mechanism

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "services" / "prometheus" / "rules.yml"

Panel = dict[str, Any]


def metrics_in(expr: str) -> set[str]:
    """The names of the series that a PromQL expression reads."""
    rest = re.sub(r'"(\\.|[^"\\])*"', '""', expr)
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", rest)
    rest = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", rest)
    words = re.finditer(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)\b(?!\s*\()", rest)
    return {w[1] for w in words} - {"and", "or", "unless", "bool", "offset"}


def recorded() -> dict[str, str]:
    """The rules' names and expressions."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


EXPORTED = {series for definition in metrics.DEFINITIONS for series in definition.series}
FOUND = [(path.stem, panel) for path in sorted(JSON.glob("*.json")) for panel in json.loads(path.read_text())["panels"]]
PANEL_LIST = [panel for _, panel in FOUND]
PANELS = [pytest.param(panel, id=f"{stem}: {panel['title']}") for stem, panel in FOUND]


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ("a", {"a"}),
        ('sum by (b) (rate(a_total{c="d", e!~"f"}[$__rate_interval])) > 0', {"a_total"}),
        ("x:a:rate5s / on (b) group_left () (c > 0) or d", {"x:a:rate5s", "c", "d"}),
        ('max by (m, p) (label_replace(a, "p", "$1", "ipc", "(.*)"))', {"a"}),
        ("histogram_quantile(0.5, sum by (le) (rate(a_bucket[5s]))) >= 0", {"a_bucket"}),
        ("clamp_min(a + b * 1e9, 0)", {"a", "b"}),
    ],
)
def test_metrics_are_found_in_an_expression(expr: str, names: set[str]) -> None:
    assert metrics_in(expr) == names


def test_the_committed_json_is_what_the_code_makes() -> None:
    assert complaints(JSON) == []


def test_check_names_what_is_changed_missing_and_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "dashboards" / "json"
    directory.parent.mkdir()
    write(directory)
    monkeypatch.setattr("sys.argv", ["dashboards", "--check"])
    assert main(directory) == 0
    name = next(iter(DASHBOARDS))
    (directory / name).write_text((directory / name).read_text().replace('"title"', '"Title"', 1))
    (directory / "stray.json").write_text("{}")
    assert main(directory) == 1
    assert f"dashboards/json/{name} is not what" in (printed := capsys.readouterr().err)
    assert "dashboards/json/stray.json is not what" in printed
    (directory / name).unlink()
    assert directory / name in outdated(directory)
    write(directory)
    assert main(directory) == 0


def test_what_was_edited_by_hand_is_named_by_file_and_panel(tmp_path: Path) -> None:
    directory = tmp_path / "dashboards" / "json"
    directory.parent.mkdir()
    write(directory)
    file = directory / "kernel.json"
    edited = json.loads(file.read_text())
    title = edited["panels"][3]["title"]
    edited["panels"][3]["description"] = "by hand"
    file.write_text(json.dumps(edited))
    assert complaints(directory) == [
        f"dashboards/json/kernel.json is not what dashboards/ makes: panel {title!r}; run: ./lab dashboards"
    ]
    file.write_text("not JSON")
    assert complaints(directory) == ["dashboards/json/kernel.json is not what dashboards/ makes; run: ./lab dashboards"]


def test_every_dashboard_is_a_file_grafana_can_tell_apart() -> None:
    documents = [json.loads((JSON / name).read_text()) for name in DASHBOARDS]
    assert len({d["uid"] for d in documents}) == len({d["title"] for d in documents}) == len(documents)
    for document in documents:
        ids = [panel["id"] for panel in document["panels"]]
        assert len(set(ids)) == len(ids)
        assert document["editable"] is False


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_explains_itself(panel: Panel) -> None:
    assert panel["title"].strip()
    assert panel["description"].strip()
    if panel["type"] == "text":
        assert panel["options"]["content"].strip()
        return
    assert len(panel["description"]) > 60, "what to see, and why"
    assert panel["targets"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    if panel["type"] != "table":
        assert all(target["legendFormat"] for target in panel["targets"])
    if panel["type"] in ("timeseries", "state-timeline"):
        assert panel["options"]["legend"]["showLegend"]
    if panel["type"] == "barchart":
        assert panel["options"]["xField"] == "Bytes"
    if panel["type"] == "timeseries":
        assert "min" in defaults or "axisSoftMin" in defaults["custom"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_only_for_series_that_exist(panel: Panel) -> None:
    for target in panel.get("targets", []):
        names = metrics_in(target["expr"])
        assert names, target["expr"]
        assert names <= EXPORTED | set(recorded()), target["expr"]


def test_every_metric_is_on_a_panel_or_in_a_view_of_the_page() -> None:
    """Itself, or what a rule computes from it."""
    shown = {name for panel in PANEL_LIST for target in panel.get("targets", []) for name in metrics_in(target["expr"])}
    shown |= {name for record in shown & set(recorded()) for name in metrics_in(recorded()[record])}
    shown |= {name for record in shown & set(recorded()) for name in metrics_in(recorded()[record])}
    sources = "".join(file.read_text() for file in sorted((ROOT / "services/page/labpage").rglob("*.py")))
    shown |= set(re.findall(r"\b(?:ipc|probe)_\w+", sources))
    missing = [definition.name for definition in metrics.DEFINITIONS if not shown & set(definition.series)]
    assert missing == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_mark_is_made_of_series_that_exist(name: str) -> None:
    marks = json.loads((JSON / name).read_text())["annotations"]["list"]
    assert marks
    for mark in marks:
        assert mark["name"]
        assert mark["iconColor"]
        if "expr" in mark:
            names = metrics_in(re.sub(r"offset \w+", "", mark["expr"]))
            assert names
            assert names <= EXPORTED, mark["expr"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_graph_looks_back_as_far_as_it_must(panel: Panel) -> None:
    """A fixed window shorter than the distance between two points would leave out what lies between."""
    for target in panel.get("targets", []):
        windows = set(re.findall(r"\[([^]]*)\]", target["expr"]))
        assert windows <= {"$__rate_interval"}, target["expr"]
        assert not windows or not target.get("instant"), "an instant query takes the rules' window, not the graph's"


@pytest.mark.parametrize("panel", PANELS)
def test_queries_of_a_panel_have_their_own_names(panel: Panel) -> None:
    names = [target["refId"] for target in panel.get("targets", [])]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_overlaps_another_or_leaves_the_grid(name: str) -> None:
    panels = json.loads((JSON / name).read_text())["panels"]
    cells = {
        panel["title"]: {
            (x, y)
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        }
        for panel in panels
    }
    assert len(cells) == len(panels), "two panels have the same title"
    for title, taken in cells.items():
        assert taken, title
        assert all(x < 24 for x, _ in taken), title
    for (one, its), (other, others) in combinations(cells.items(), 2):
        assert not its & others, f"{one} / {other}"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_default_data_source_serves(name: str) -> None:
    """But for the marks that are kept in Grafana itself."""

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    document = json.loads((JSON / name).read_text())
    (noted,) = (mark for mark in document["annotations"]["list"] if "datasource" in mark)
    assert noted.pop("datasource") == "-- Grafana --"
    assert "datasource" not in keys(document)


def test_a_heatmap_asks_for_bounds_that_there_are() -> None:
    """One octave each, from the first to the last; a bucket counts what is in all below it, so none is left out."""
    golden = (ROOT / "tests/unit/golden/metrics.prom").read_text()
    exported = set(re.findall(r'ipc_one_way_latency_seconds_bucket\{.*le="([^"]+)"', golden))
    heatmaps = [panel for panel in PANEL_LIST if panel["type"] == "heatmap"]
    assert heatmaps
    for panel in heatmaps:
        (pattern,) = re.findall(r'le=~"([^"]+)"', panel["targets"][0]["expr"])
        asked = {bound for bound in exported if re.fullmatch(pattern.replace("\\\\", "\\"), bound)}
        assert len(asked) == len(pattern.split("|")), "a bound that is not exported"
        bounds = sorted(map(float, asked))
        assert (bounds[0], bounds[-1]) == (min(map(float, exported)), float("inf"))
        assert all(upper / lower == pytest.approx(2) for lower, upper in pairwise(bounds[:-1]))


def test_the_graphs_colour_every_pair() -> None:
    text = (JSON / "start.json").read_text()
    for mechanism in compose_file.declared():
        assert f"/^{mechanism}( .*)?$/" in text


@pytest.mark.parametrize(("record", "expr"), recorded().items(), ids=recorded())
def test_a_rule_reads_what_exists_and_is_named_after_it(record: str, expr: str) -> None:
    assert metrics_in(expr) <= EXPORTED | set(recorded())
    level, metric, operation = record.split(":")
    assert operation
    assert metric.startswith("ipc_")
    assert set(level.split("_")) <= {"mechanism", "kind", "part", "size"}


def test_grafana_is_told_where_the_dashboards_and_prometheus_are() -> None:
    grafana = ROOT / "services" / "grafana"
    dockerfile = (grafana / "Dockerfile").read_text()
    settings = (grafana / "grafana.ini").read_text()
    (provider,) = yaml.safe_load((grafana / "provisioning/dashboards/lab.yml").read_text())["providers"]
    path = provider["options"]["path"]
    assert f"COPY dashboards/json {path}\n" in dockerfile
    assert f"default_home_dashboard_path = {path}/start.json\n" in settings
    (source,) = yaml.safe_load((grafana / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    prometheus = yaml.safe_load((ROOT / "services/prometheus/prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    assert source["isDefault"] is True


def test_grafana_lets_everybody_look_and_one_password_write() -> None:
    """What `labctl.grafana.client` reads is what the container makes and Grafana takes."""
    folder = ROOT / "services" / "grafana"
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(folder / "grafana.ini")
    assert settings["auth.anonymous"]["org_role"] == "Viewer"
    assert settings["auth.basic"].getboolean("enabled")
    assert settings["auth"].getboolean("disable_login_form")
    assert settings["security"]["admin_user"] == client.USER
    path = f"{client.SECRETS}/{client.PASSWORD}"
    assert settings["security"]["admin_password"] == f"$__file{{{path}}}"
    script = (folder / "with-password.sh").read_text()
    assert f"folder={client.SECRETS}\n" in script
    assert f"$folder/{client.PASSWORD}" in script
    assert 'ENTRYPOINT ["/with-password.sh"]' in (folder / "Dockerfile").read_text()


def test_prometheus_scrapes_the_port_of_the_metrics() -> None:
    text = (ROOT / "services/prometheus/prometheus.yml").read_text()
    jobs = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    ports = {name: [discovery["port"] for discovery in job["dns_sd_configs"]] for name, job in jobs.items()}
    assert ports == {"lab": [metrics.PORT], "bench": [metrics.BENCH_PORT], "grafana": [3000]}


def test_the_marks_are_those_that_are_written() -> None:
    assert marks.TAG == annotation.TAG


def test_every_mechanism_has_a_colour_of_its_own() -> None:
    names = mechanisms.names()
    assert len({of_mechanism(name) for name in names}) == len(names)
    assert of_mechanism("not one of ours") == of_mechanism("not one of ours")
