"""docs/PLATFORMS.md says of each platform how it is known, and its tests exist; Grafana has decision 70's settings."""

from __future__ import annotations

import re
from configparser import ConfigParser

from labctl.config.paths import ROOT

_ROW = re.compile(r"^\| (.+?) \| (run|test|read|no) \| (.+) \|$", re.MULTILINE)


def test_every_row_says_how_and_every_test_exists() -> None:
    text = (ROOT / "docs" / "PLATFORMS.md").read_text(encoding="utf-8")
    rows = _ROW.findall(text)
    assert len(rows) == text.count("\n| ") - 1, "a row without its word"
    for platform, how, what in rows:
        tests = re.findall(r"`(tests/[^`]+)`", what)
        assert tests or how != "test", f"{platform}: a test without a name"
        for name in tests:
            assert (ROOT / name).is_file(), name


def test_grafana_keeps_the_data_sources_that_it_came_with() -> None:
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "services" / "grafana" / "grafana.ini")
    plugins = settings["plugins"]
    assert plugins.getboolean("preinstall_disabled")
    assert not plugins.getboolean("preinstall_auto_update")
    disabled = plugins["disable_plugins"].split(",")
    assert "prometheus" not in disabled
    assert {"loki", "tempo", "elasticsearch"} <= set(disabled)
