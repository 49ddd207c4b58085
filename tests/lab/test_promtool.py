"""What Prometheus's own tool says of our configuration, rules and metrics; from the image that the lab runs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from docker.models.containers import Container

from ipclab.metrics import definitions as metrics
from lab.harness.mark_scenarios import promtool_test
from lab.harness.stack import ROOT, Stack
from labctl.faults.soak.readings import most_used


@pytest.fixture(scope="module")
def image(stack: Stack) -> Iterator[Container]:
    """A container of the image of the lab's Prometheus that does nothing until it is asked."""
    attributes = stack.container("prometheus").attrs
    container = stack.client.containers.run(
        attributes["Image"], entrypoint=["/bin/sh", "-c", "sleep 600"], network_mode="none", init=True, detach=True
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def inside(image: Container, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "exec", "--interactive", str(image.id), *command],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def promtool(image: Container, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return inside(image, "/bin/promtool", *arguments, stdin=stdin)


def run_tests(image: Container, tests: str) -> subprocess.CompletedProcess[str]:
    script = "cat > /tmp/rules_test.yml && exec /bin/promtool test rules /tmp/rules_test.yml"
    return inside(image, "/bin/sh", "-c", script, stdin=tests)


@pytest.mark.parametrize("what", [("config", "/etc/prometheus/prometheus.yml"), ("rules", "/etc/prometheus/rules.yml")])
def test_the_configuration_is_sound(image: Container, what: tuple[str, str]) -> None:
    checked = promtool(image, "check", *what)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout


@pytest.mark.parametrize("role", metrics.Role)
def test_the_golden_metrics_are_sound(image: Container, role: metrics.Role) -> None:
    pages = re.split(r"^# === (\w+) ===\n", (ROOT / "tests/unit/golden/metrics.prom").read_text(), flags=re.MULTILINE)
    page = dict(zip(pages[1::2], pages[2::2], strict=True))[role]
    checked = promtool(image, "check", "metrics", stdin=page)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_live_metrics_are_sound(stack: Stack, image: Container) -> None:
    for name in [*stack.endpoints(), "holder", "kernel"]:
        checked = promtool(image, "check", "metrics", stdin=stack.text(name))
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), name


def test_promtool_finds_what_is_wrong(image: Container) -> None:
    """The checks above can fail."""
    assert promtool(image, "check", "metrics", stdin="# TYPE bad counter\nbad 1\n").returncode != 0


def test_the_rules_compute_what_they_say(image: Container) -> None:
    tests = (ROOT / "tests/unit/rules_test.yml").read_text()
    done = run_tests(image, tests.replace("../../services/prometheus/rules.yml", "/etc/prometheus/rules.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_restart_is_marked_and_a_scrape_that_timed_out_is_not(image: Container) -> None:
    done = run_tests(image, promtool_test())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_soak_takes_no_sample_of_a_first_minute_nor_of_what_is_there_for_a_second(image: Container) -> None:
    """Two containers of one role: the younger one has more memory, and counts when it is a minute old.

    What the other one has for a second counts never.
    """
    metric, begun = "ipc_container_memory_bytes", "ipc_process_start_time_seconds"
    role = 'mechanism="fifo",role="consumer"'
    values = {
        f'{metric}{{instance="old",{role}}}': "10x150 50 10x49",
        f'{metric}{{instance="young",{role}}}': "_x100 30x100",
        f'{begun}{{instance="old",{role}}}': "0x200",
        f'{begun}{{instance="young",{role}}}': "_x100 100x100",
    }
    asked = [
        {"expr": most_used(metric), "eval_time": at, "exp_samples": [{"labels": f"{{{role}}}", "value": most}]}
        for at, most in (("155s", 10), ("165s", 30))
    ]
    series = [{"series": name, "values": it} for name, it in values.items()]
    tests = [{"interval": "1s", "input_series": series, "promql_expr_test": asked}]
    done = run_tests(image, json.dumps({"evaluation_interval": "1s", "tests": tests}))
    assert done.returncode == 0, done.stdout + done.stderr
