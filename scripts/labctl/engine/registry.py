"""Ask a registry, through the engine, for images: does it answer, and has it what we want?"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from enum import Enum
from urllib.parse import urlsplit

import docker
import requests
from docker import auth
from docker.errors import APIError, DockerException

from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import Step

PROBE_WITHIN_S = 9.0  # for all images together; the engine's own patience is far longer
_STALLED_AFTER_S = 60
_GLANCE_S = 3.0
# The network's words, not the registry's, whatever status the engine wraps them in ("lookup …: no such host"). A
# filtering proxy answers in HTML, which the engine cannot parse.
_NETWORK = (
    "dial tcp",
    "lookup ",
    "x509",
    "timeout",
    "deadline exceeded",
    "connection re",
    "eof",
    "proxyconnect",
    "error parsing http",
)
# A registry that limits how often it is asked (429, "toomanyrequests") will answer later.
_LIMITED = ("toomanyrequests", "too many requests", "rate limit")
# The registry's: no such image, or none for this user.
_REFUSAL = ("not found", "manifest unknown", "unauthorized", "denied", "no basic auth credentials")


class Answer(Enum):
    """What the registry said to one image."""

    HAS_IT = "has it"
    HAS_IT_NOT = "has no such image, or not for you"
    SILENT = "does not answer"


def probe(client: docker.DockerClient, images: list[str]) -> Mapping[str, tuple[Answer, str]]:
    """What each image's registry answers, with the reason in its words; never takes longer than PROBE_WITHIN_S.

    The engine asks, and not this process: it is the engine that pulls, with its proxy, mirrors and certificates.
    """
    answers: dict[str, tuple[Answer, str]] = {}
    # Daemons: a request that hangs must not keep the command line from ending.
    threads = [threading.Thread(target=_ask, args=(client, image, answers), daemon=True) for image in images]
    deadline = time.monotonic() + PROBE_WITHIN_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = (Answer.SILENT, f"no answer within {PROBE_WITHIN_S:.0f} s")
    return {image: answers.get(image, silent) for image in images}


def seems_silent(image: str) -> bool:
    """Whether the image's registry does not answer this process, which no engine is needed to tell.

    A hint and no more: the engine may have a proxy or a mirror of its own. Any HTTP status is an answer.
    """
    index, _ = auth.resolve_repository_name(image)
    host = urlsplit(auth.INDEX_URL).netloc if index == auth.INDEX_NAME else index
    try:
        requests.head(f"https://{host}/v2/", timeout=_GLANCE_S)
    except requests.RequestException:
        return True
    return False


def pull(client: docker.DockerClient, image: str, step: Step) -> None:
    """Pull `image`, the megabytes shown as the step's detail.

    :raises LabError: the registry breaks off or stalls
    """
    layers: dict[str, tuple[int, int]] = {}
    hint = f"run this again; or bring the image by `docker load`, then `docker image inspect {image}` finds it"
    repository, tag = split_tag(image)
    previous, client.api.timeout = client.api.timeout, _STALLED_AFTER_S
    try:
        for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise LabError(f"pulling {image} failed: {event['error']}", hint=hint)
            amounts = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and "total" in amounts:
                layers[event["id"]] = (amounts["current"], amounts["total"])
                done, total = (sum(column) / 1e6 for column in zip(*layers.values(), strict=True))
                step.detail(f"{done:.0f} of {total:.0f} MB")
            elif not layers:
                step.detail(str(event.get("status", "")))
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"pulling {image} failed: {one_line(error)}", hint=hint) from error
    finally:
        client.api.timeout = previous


def split_tag(image: str) -> tuple[str, str]:
    """("prom/prometheus", "v3.5.0"); a digest is a tag to the engine, and wins over one; without either, latest."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # that colon was a port's
        repository, tag = name, "latest"
    return repository, digest or tag


def classify(status: int, explanation: str) -> Answer:
    """What an error of the engine's distribution endpoint means.

    Docker Hub answers 401 or 403 to a repository that does not exist, other registries 404. Everything else (no
    route, no name, a proxy's certificate, rate limits, 5xx) leaves us without the image just as silence does.
    """
    text = explanation.lower()
    if status == 429 or any(word in text for word in _LIMITED):
        return Answer.SILENT
    if any(word in text for word in _NETWORK):
        return Answer.SILENT
    refused = status in (401, 403, 404) or any(word in text for word in _REFUSAL)
    return Answer.HAS_IT_NOT if refused else Answer.SILENT


def _ask(client: docker.DockerClient, image: str, answers: dict[str, tuple[Answer, str]]) -> None:
    try:
        client.api.inspect_distribution(image)
    except APIError as error:
        status = error.response.status_code if error.response is not None else 0
        answers[image] = (classify(status, str(error.explanation)), one_line(error))
    except (DockerException, requests.RequestException) as error:
        answers[image] = (Answer.SILENT, one_line(error))
    else:
        answers[image] = (Answer.HAS_IT, "")
