"""The dashboards as code. `python -m dashboards` writes `dashboards/json/`, which is committed and baked into Grafana.

Needs the development requirements; nothing that runs needs them. One module per dashboard, each with a
function `dashboard()`; `DASHBOARDS` in `__main__` lists them.
"""

import importlib
import warnings

# On import, the SDK asks for its second schema, which only the newest Grafanas load.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    for _name in ("dashboard", "heatmap", "stat", "statetimeline", "timeseries"):
        importlib.import_module(f"grafana_foundation_sdk.builders.{_name}")
