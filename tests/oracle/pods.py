"""What Kubernetes asks of a pod of the restricted kind, and a few things more.

Source: Kubernetes, Pod Security Standards, "Restricted" (with all of "Baseline").
"""

from __future__ import annotations

from typing import Any

Pod = dict[str, Any]
ALLOWED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def pod_of(resource: dict[str, Any]) -> Pod | None:
    """The pod that a resource makes, if it makes one."""
    spec = resource.get("spec", {})
    if resource["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod: Pod | None = spec.get("template", {}).get("spec")
    return pod


def against_restricted(pod: Pod) -> set[str]:
    """The rules that a pod breaks."""
    whole = pod.get("securityContext", {})
    broken = {f"host: {name}" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)}
    for volume in pod.get("volumes", []):
        broken |= {f"volume: {kind}" for kind in set(volume) - {"name"} - ALLOWED_VOLUMES}
    for container in [*pod["containers"], *pod.get("initContainers", []), *pod.get("ephemeralContainers", [])]:
        own = container.get("securityContext", {})

        def said(field: str, own: dict[str, Any] = own) -> Any:
            return own.get(field, whole.get(field))

        capabilities = own.get("capabilities", {})
        checks = {
            "privileged": not own.get("privileged", False),
            "escalation": own.get("allowPrivilegeEscalation") is False,
            "not root": said("runAsNonRoot") is True and said("runAsUser") != 0,
            "seccomp": (said("seccompProfile") or {}).get("type") in {"RuntimeDefault", "Localhost"},
            "capabilities": capabilities.get("drop") == ["ALL"]
            and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
            "host ports": not any(port.get("hostPort") for port in container.get("ports", [])),
            "proc": own.get("procMount", "Default") == "Default",
        }
        broken |= {name for name, holds in checks.items() if not holds}
    broken |= {"sysctls"} if whole.get("sysctls") else set()
    return broken


def against_ours(pod: Pod) -> set[str]:
    """What we ask beyond it: a read-only root, bounds, no token of the cluster, no secret in a variable."""
    broken = set()
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        limits = container.get("resources", {}).get("limits", {})
        broken |= {"writable root"} if own.get("readOnlyRootFilesystem") is not True else set()
        broken |= {f"no limit of {name}" for name in ("cpu", "memory", "ephemeral-storage") if name not in limits}
        variables = container.get("env", [])
        broken |= {"secret in a variable"} if any("valueFrom" in one for one in variables) else set()
        broken |= {"variable"} if {one["name"] for one in variables} - {"ENCLOS_SECRETS"} else set()
        broken |= {"secret in a variable"} if container.get("envFrom") else set()
    broken |= {"token"} if pod.get("automountServiceAccountToken") is not False else set()
    return broken
