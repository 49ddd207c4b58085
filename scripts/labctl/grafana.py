"""Whether Grafana answers. The only module that knows its client."""

from __future__ import annotations

from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests import RequestException

_ANSWER_WITHIN_S = 2.0


def answers(port: int) -> bool:
    """Whether the Grafana that publishes `port` on this machine is up, its database too."""
    client = GrafanaFace(auth=("", ""), host="127.0.0.1", port=port, timeout=_ANSWER_WITHIN_S)
    try:
        health = client.api.GET("/health")
    except (GrafanaException, RequestException, ValueError):
        return False
    return bool(health.get("database") == "ok")
