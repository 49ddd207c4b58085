"""`./lab kube`: the pairs as pods, written for Kubernetes and played with podman."""
