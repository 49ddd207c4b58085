"""The manifests in podman's words: what is left out, renamed or put in another form."""

from __future__ import annotations

from labctl.clusters.kube.manifests import Images, Layout, Wanted, of_lab
from labctl.clusters.kube.podman import Cluster, for_podman, name_of
from labctl.config.configuration import Configuration

_WANTED = Wanted(
    "ipclab", ["fifo"], Layout.TOGETHER, Images("localhost/", "local"), Configuration.load(environment={}).values
)
_PODS = {name_of(m): m for m in of_lab(_WANTED) if m["kind"] == "Pod"}


def test_a_volume_in_memory_is_a_claim_for_a_tmpfs_and_has_the_name_of_its_pod() -> None:
    *claims, pod = for_podman(_PODS["fifo"], {}, {})
    assert {name_of(claim) for claim in claims} == {"fifo-heartbeat-consumer", "fifo-heartbeat-producer"}
    for claim in claims:
        assert claim["metadata"]["annotations"]["volume.podman.io/type"] == "tmpfs"
        assert claim["metadata"]["annotations"]["volume.podman.io/mount-options"] == "size=1m,mode=0777"
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert all(name.startswith("fifo-") for name in volumes)
    for container in pod["spec"]["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_no_port_is_published_and_the_manifest_itself_is_untouched() -> None:
    pod = for_podman(_PODS["fifo"], {}, {})[-1]
    assert not any("ports" in container for container in pod["spec"]["containers"])
    assert all(container["ports"] for container in _PODS["fifo"]["spec"]["containers"])


def test_the_pods_of_the_other_node_have_names() -> None:
    pod = for_podman(_PODS["probe-other-node"], {}, {"responder": "10.231.1.201"})[-1]
    assert pod["spec"]["hostAliases"] == [{"ip": "10.231.1.201", "hostnames": ["responder"]}]


def test_only_what_must_not_be_beside_the_responder_is_on_the_second_node() -> None:
    cluster = Cluster("ipclab")
    assert [name for name, pod in _PODS.items() if cluster.node_of(pod).number == 2] == ["probe-other-node"]
