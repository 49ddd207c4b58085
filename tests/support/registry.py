"""A registry on this machine: the OCI distribution protocol over HTTP, as far as a pull needs it.

Source: github.com/opencontainers/distribution-spec, Pull. An engine asks a registry on 127.0.0.1 without TLS.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass
class Registry:
    """Answers from now on with `status`, or with one small image of any name; `asked` has every "METHOD path"."""

    port: int
    status: int = 200
    body: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def image(self) -> str:
        """The name of its image."""
        return f"127.0.0.1:{self.port}/ipclab-test/image:1"

    def limits(self) -> None:
        """429 to everything, in Docker Hub's words."""
        self.status = 429
        self.body = {"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]}

    def has_nothing(self) -> None:
        """404 to every manifest."""
        self.status = 404
        self.body = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}

    def has_it(self) -> None:
        """The image again."""
        self.status = 200

    def counted(self) -> list[str]:
        """What Docker Hub would count as pulls: each GET of a manifest."""
        return [line for line in self.asked if line.startswith("GET ") and "/manifests/" in line]


@contextmanager
def registry() -> Iterator[Registry]:
    """One that has the image."""
    blobs = _image()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(f"{self.command} {self.path}")
            kind, body = self._content()
            self.send_response(found.status if self.path != "/v2/" or found.status == 429 else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Distribution-API-Version", "registry/2.0")
            if kind == _MANIFEST:
                self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def _content(self) -> tuple[str, bytes]:
            if found.status != 200:
                return "application/json", json.dumps(found.body).encode()
            if "/manifests/" in self.path:
                return _MANIFEST, blobs["manifest"]
            return "application/octet-stream", blobs.get(self.path.rpartition("/")[2], b"{}")

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Registry(server.server_port)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield found
        finally:
            server.shutdown()


def _image() -> dict[str, bytes]:
    """Digest to content of an image of one file, and its manifest."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    packed = gzip.compress(layer.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer.getvalue())]},
            "history": [{"created_by": os.urandom(8).hex()}],  # the engine keeps a manifest that it knows
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(packed), "digest": _digest(packed)}],
        }
    ).encode()
    return {_digest(config): config, _digest(packed): packed, "manifest": manifest}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
