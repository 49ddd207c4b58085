"""Pull images from a registry, through the engine: does the registry answer, and has it what we want?

A pull is its own question. The engine's distribution endpoint asks for the manifest by GET, and Docker Hub counts each
such GET as a pull (docs.docker.com/docker-hub/usage/pulls), so nothing here looks first and pulls then.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker import auth
from docker.errors import APIError, DockerException

from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import Step

ANSWERS_WITHIN_S = 9.0  # the first word of a pull; the engine's own patience is far longer
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
# A limit is an answer of its own (429, "toomanyrequests"): the registry will give the image later.
_LIMITED = ("toomanyrequests", "too many requests", "rate limit")
# The registry's: no such image, or none for this user.
_REFUSAL = ("not found", "manifest unknown", "unauthorized", "denied", "no basic auth credentials")


class Answer(Enum):
    """What the registry said to one image."""

    HAS_IT = "has it"
    HAS_IT_NOT = "has no such image, or not for you"
    LIMITED = "limits how often this address or user pulls"
    SILENT = "does not answer"


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


def pull(client: docker.DockerClient, image: str, step: Step) -> tuple[Answer, str]:
    """Pull `image`, the megabytes shown as the step's detail. Returns the answer, and the reason in the engine's words.

    A registry whose first word takes longer than ANSWERS_WITHIN_S is silent. The engine asks, and not this process: it
    is the engine that pulls, with its proxy, mirrors and certificates.

    :raises LabError: the registry has it, and breaks off or stalls
    """
    events = _Events(client, image)
    layers: dict[str, tuple[int, int]] = {}
    try:
        event = events.next(ANSWERS_WITHIN_S)
    except TimeoutError:
        return Answer.SILENT, f"no answer within {ANSWERS_WITHIN_S:.0f} s"
    except APIError as error:
        status = error.response.status_code if error.response is not None else 0
        return classify(status, str(error.explanation)), one_line(error)
    except (DockerException, requests.RequestException) as error:
        return Answer.SILENT, one_line(error)
    if event is not None and "error" in event:  # the answer begins before the registry's does
        reason = one_line(event["error"])
        return classify(500, reason), reason
    hint = f"run this again; or bring the image by `docker load`, then `docker image inspect {image}` finds it"
    try:
        while event is not None:
            if "error" in event:
                raise LabError(f"pulling {image} failed: {event['error']}", hint=hint)
            amounts = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and "total" in amounts:
                layers[event["id"]] = (amounts["current"], amounts["total"])
                done, total = (sum(column) / 1e6 for column in zip(*layers.values(), strict=True))
                step.detail(f"{done:.0f} of {total:.0f} MB")
            elif not layers:
                step.detail(str(event.get("status", "")))
            event = events.next(_STALLED_AFTER_S)
    except TimeoutError as error:
        raise LabError(f"pulling {image} failed: nothing came for {_STALLED_AFTER_S} s", hint=hint) from error
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"pulling {image} failed: {one_line(error)}", hint=hint) from error
    return Answer.HAS_IT, ""


class _Events:
    """What the engine says of one pull, read by a thread: a request that hangs must not keep the caller."""

    def __init__(self, client: docker.DockerClient, image: str) -> None:
        self._client = client
        self._repository, self._tag = split_tag(image)
        self._said: queue.SimpleQueue[Mapping[str, Any] | BaseException | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, within_s: float) -> Mapping[str, Any] | None:
        """The next event; None at the end.

        :raises TimeoutError: none came
        :raises DockerException: as the SDK does; requests.RequestException alike
        """
        try:
            said = self._said.get(timeout=within_s)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(said, BaseException):
            raise said
        return said

    def _read(self) -> None:
        try:
            for event in self._client.api.pull(self._repository, tag=self._tag, stream=True, decode=True):
                self._said.put(event)
            self._said.put(None)
        except (DockerException, requests.RequestException) as error:
            self._said.put(error)


def split_tag(image: str) -> tuple[str, str]:
    """("prom/prometheus", "v3.5.0"); a digest is a tag to the engine, and wins over one; without either, latest."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # that colon was a port's
        repository, tag = name, "latest"
    return repository, digest or tag


def classify(status: int, explanation: str) -> Answer:
    """What an error of the engine means, which speaks for the registry.

    Docker Hub answers 401 or 403 to a repository that does not exist, other registries 404. Everything else (no
    route, no name, a proxy's certificate, 5xx) leaves us without the image just as silence does.
    """
    text = explanation.lower()
    if status == 429 or any(word in text for word in _LIMITED):
        return Answer.LIMITED
    if any(word in text for word in _NETWORK):
        return Answer.SILENT
    refused = status in (401, 403, 404) or any(word in text for word in _REFUSAL)
    return Answer.HAS_IT_NOT if refused else Answer.SILENT
