"""A pause that the container runtime gives up is asked for again."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from docker.errors import APIError

from labctl.lab import containers

_GAVE_UP = APIError("Cannot pause container: OCI runtime pause failed: unable to freeze: unknown")


def test_what_was_given_up_twice_is_frozen_by_the_third_call() -> None:
    """./lab bench ended with it on a busy machine."""
    container = Mock(pause=Mock(side_effect=[_GAVE_UP, _GAVE_UP, None]))
    containers.freeze(container)
    assert container.pause.call_count == 3


def test_another_refusal_is_raised_at_once() -> None:
    container = Mock(pause=Mock(side_effect=APIError("container is not running")))
    with pytest.raises(APIError, match="not running"):
        containers.freeze(container)
    assert container.pause.call_count == 1


def test_what_is_never_frozen_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_FREEZES_WITHIN_S", 0.0)
    with pytest.raises(APIError, match="unable to freeze"):
        containers.freeze(Mock(pause=Mock(side_effect=_GAVE_UP)))
