from __future__ import annotations

from labctl.config import compose_file


def test_it_is_what_compose_yaml_says_and_nothing_is_left_to_be_filled_in() -> None:
    given = compose_file.of_every_container()
    app = compose_file.common_to_all()
    assert given["read_only"] is app["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["pids_limit"] == app["pids_limit"]
    assert given["mem_limit"] == app["mem_limit"]
    assert [f"{path}:{options}" for path, options in given["tmpfs"].items()] == app["tmpfs"]
    assert given["log_config"].config == app["logging"]["options"]
    assert "$" not in str(given)  # Compose would fill in a variable, nobody does here
