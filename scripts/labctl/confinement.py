"""The confinement that compose.yaml gives every container of ours, for those that Compose does not start."""

from __future__ import annotations

from typing import Any

from docker.types import LogConfig

from labctl import pairs

# Compose and the SDK have the same word for each.
_AS_IT_IS = ("init", "read_only", "cap_drop", "security_opt", "mem_limit", "pids_limit")


def of_every_container() -> dict[str, Any]:
    """The part of `x-app` that takes rights and bounds resources, as arguments for `containers.create`."""
    app = pairs.common_to_all()
    logging = app["logging"]
    return {
        **{name: app[name] for name in _AS_IT_IS},
        "log_config": LogConfig(type=logging["driver"], config=logging["options"]),
    }
