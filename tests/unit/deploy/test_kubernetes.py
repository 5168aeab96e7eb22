"""The Kubernetes manifests, as kustomize renders them: valid, restricted, and no way out but what is named."""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
from enclos.cli.application import application
from oracle.pods import Pod, against_ours, against_restricted, pod_of

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "deploy" / "kubernetes" / "rendered").glob("*.yaml"))
Resource = dict[str, Any]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("render_manifests", ROOT / "tools" / "render_manifests.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resources(file: Path) -> list[Resource]:
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def pods(file: Path) -> dict[str, Pod]:
    made = {resource["metadata"]["name"]: pod_of(resource) for resource in resources(file)}
    return {name: pod for name, pod in made.items() if pod}


def policies(file: Path) -> list[Resource]:
    return [resource for resource in resources(file) if resource["kind"] == "NetworkPolicy"]


def test_each_overlay_is_rendered_from_its_present_sources() -> None:
    render = tool()
    assert {file.stem for file in FILES} == {overlay.name for overlay in render.OVERLAYS} != set()
    for overlay in render.OVERLAYS:
        head = (render.RENDERED / f"{overlay.name}.yaml").read_text(encoding="utf-8").splitlines()[0]
        assert head.endswith(f"sha256 {render.digest(overlay)}"), f"{overlay.name} is stale: make manifests"


@pytest.mark.slow
@pytest.mark.system("kubectl")
def test_kustomize_renders_the_same_again() -> None:
    render = tool()
    for overlay in render.OVERLAYS:
        assert render.rendered(overlay) == (render.RENDERED / f"{overlay.name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_resource_is_what_kubernetes_takes(file: Path) -> None:
    for resource in resources(file):
        kubernetes_validate.validate(resource, "1.34", strict=True)
    wrong = copy.deepcopy(resources(file)[-1])
    wrong["spec"]["podSelector"] = "everything"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.34", strict=True)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_pod_is_of_the_restricted_kind_with_a_read_only_root(file: Path) -> None:
    made = pods(file)
    assert len(made) >= 7
    assert {name: broken for name, pod in made.items() if (broken := against_restricted(pod) | against_ours(pod))} == {}
    (namespace,) = [resource for resource in resources(file) if resource["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def spoil(change: Callable[[Pod], object]) -> set[str]:
    pod = copy.deepcopy(pods(FILES[0])["enclos-serve"])
    change(pod)
    return against_restricted(pod) | against_ours(pod)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda pod: pod.update(hostNetwork=True), "host: hostNetwork"),
        (lambda pod: pod["volumes"].append({"name": "disk", "hostPath": {"path": "/"}}), "volume: hostPath"),
        (lambda pod: pod["securityContext"].pop("seccompProfile"), "seccomp"),
        (lambda pod: pod["securityContext"].update(runAsUser=0), "not root"),
        (lambda pod: pod["containers"][0]["securityContext"].pop("capabilities"), "capabilities"),
        (lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"), "escalation"),
        (lambda pod: pod["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"), "writable root"),
        (lambda pod: pod["containers"][0]["env"].append({"name": "ENCLOS_PASSPHRASE", "value": "x"}), "variable"),
        (lambda pod: pod.pop("automountServiceAccountToken"), "token"),
    ],
)
def test_a_pod_that_is_not_would_be_found(change: Callable[[Pod], object], found: str) -> None:
    assert spoil(change) == {found}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_comes_in_or_goes_out_but_what_is_named(file: Path) -> None:
    everything = [policy["spec"] for policy in policies(file) if policy["spec"]["podSelector"] == {}]
    assert everything == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]
    for policy in policies(file):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                assert rule[peers] and rule["ports"], "a rule without peers or ports would open everything"
                assert all(set(peer) and peer.get("namespaceSelector") != {} for peer in rule[peers])
                blocks = [peer["ipBlock"]["cidr"] for peer in rule[peers] if "ipBlock" in peer]
                assert all(block.endswith("/32") for block in blocks)


def test_only_what_reads_the_storage_may_reach_it_and_on_one_volume_nothing_reaches_anything() -> None:
    by_name = {file.stem: file for file in FILES}
    assert not [p for p in policies(by_name["one-volume"]) if p["spec"].get("egress")]
    (egress,) = [p["spec"] for p in policies(by_name["s3-postgresql"]) if p["spec"].get("egress")]
    assert egress["podSelector"] == {"matchLabels": {"storage": "named"}}
    labels = {}
    for resource in resources(by_name["s3-postgresql"]):
        spec = resource.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            labels[resource["metadata"]["name"]] = template["metadata"]["labels"].get("storage")
    assert {name for name, label in labels.items() if label} == {
        "enclos-init", "enclos-serve", "enclos-hosting-verify", "enclos-backup",
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_secrets_are_named_and_never_there(file: Path) -> None:
    assert not [resource for resource in resources(file) if resource["kind"] in {"Secret", "ConfigMap"}]
    named = {
        volume["secret"]["secretName"]: volume["secret"]["defaultMode"]
        for pod in pods(file).values()
        for volume in pod["volumes"]
        if "secret" in volume
    }
    assert named == {"enclos-secrets": 0o440, "enclos-tls": 0o440}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_pod_runs_a_command_that_exists_with_options_that_it_has(file: Path) -> None:
    for name, pod in pods(file).items():
        asked = list(pod["containers"][0]["args"])
        if pod["containers"][0].get("command"):
            found = re.search(r"exec enclos ([^>]*)", asked[0])
            assert found
            asked = found[1].replace('"$@"', "").split() + asked[2:]
        command = typer.main.get_command(application)
        while hasattr(command, "commands"):
            command = command.commands[asked.pop(0)]
        with command.make_context(name, asked) as context:
            assert "/var/lib/enclos/home" in map(str, context.params.values())
