"""What the engine says when it pulls, in the words of real engines and registries."""

from __future__ import annotations

import pytest

from labctl.engine.registry import Answer, classify, split_tag


@pytest.mark.parametrize(
    ("status", "explanation"),
    [
        (404, "manifest unknown: manifest unknown"),
        (403, "errors:\ndenied: requested access to the resource is denied\n"),
        (401, "unauthorized: authentication required"),
        (500, "manifest for example/x:1 not found"),
        (500, 'Head "http://localhost:5555/v2/prom/manifests/1": no basic auth credentials'),
    ],
)
def test_a_registry_that_says_no_has_answered(status: int, explanation: str) -> None:
    assert classify(status, explanation) is Answer.HAS_IT_NOT


@pytest.mark.parametrize(
    ("status", "explanation"),
    [
        (500, 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host'),
        (500, 'Get "https://registry.example/v2/": tls: failed to verify certificate: x509: unknown authority'),
        (500, 'Get "http://localhost:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused'),
        (404, 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: not found'),
        (500, "context deadline exceeded"),
        (403, "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value"),
        (503, "service unavailable"),
    ],
)
def test_everything_else_is_silence(status: int, explanation: str) -> None:
    assert classify(status, explanation) is Answer.SILENT


@pytest.mark.parametrize(
    ("status", "explanation"),
    [
        (429, "toomanyrequests: You have reached your pull rate limit"),
        (500, "toomanyrequests: You have reached your unauthenticated pull rate limit."),
        (403, "denied: rate limit exceeded for this address"),
    ],
)
def test_a_limit_is_neither_a_refusal_nor_silence(status: int, explanation: str) -> None:
    assert classify(status, explanation) is Answer.LIMITED


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("prom/prometheus:v3.5.0", ("prom/prometheus", "v3.5.0")),
        ("python", ("python", "latest")),
        ("localhost:5000/python", ("localhost:5000/python", "latest")),
        ("localhost:5000/python:3.13", ("localhost:5000/python", "3.13")),
        ("python@sha256:00ff", ("python", "sha256:00ff")),
        ("python:3.13@sha256:00ff", ("python", "sha256:00ff")),
    ],
)
def test_name_and_tag(image: str, parts: tuple[str, str]) -> None:
    assert split_tag(image) == parts
