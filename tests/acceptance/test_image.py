"""The image: built from Debian packages and locked wheels, then run as a cluster would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.enclosure import ALICE, PASSPHRASE, permit_text

ROOT = Path(__file__).resolve().parents[2]
USER = 65532
pytestmark = [
    pytest.mark.slow,
    pytest.mark.system("mmdebstrap"),
    pytest.mark.system("buildah"),
    pytest.mark.system("podman"),
]


class Podman:
    """The image in a store of its own, and runs of it with everything taken away that a run can do without."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self._command = [
            "podman", "--root", str(folder / "store"), "--runroot", str(folder / "run"), "--storage-driver", "overlay",
            "--runtime", "runc", "--cgroup-manager", "cgroupfs",
        ]  # fmt: skip
        self.data, self._secrets = folder / "data", folder / "secrets"
        for place in (self.data, self._secrets):
            place.mkdir()
        secret = self._secrets / "ENCLOS_PASSPHRASE"
        secret.write_text(PASSPHRASE)
        secret.chmod(0o400)
        for path in (self.data, self._secrets, secret):
            os.chown(path, USER, USER)
        self.call("load", "--quiet", "--input", str(archive))

    def call(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of podman's."""
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0 or not check, done.stderr
        return done

    def run(self, *arguments: str, options: tuple[str, ...] = (), check: bool = True) -> str:
        """A command of Enclos' in a container: its standard output."""
        return self.call(*self.starts(*options), "enclos:local", *arguments, check=check).stdout

    def starts(self, *options: str) -> list[str]:
        """How a container is started; a program of another name than Enclos is an option."""
        return [
            "run", "--rm", "--network", "none", "--read-only", "--read-only-tmpfs=false",
            "--tmpfs", "/tmp:rw,nosuid,nodev,noexec",  # noqa: S108 - of the container
            "--cap-drop", "all", "--security-opt", "no-new-privileges",
            "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1000:1000",
            "--volume", f"{self.data}:/var/lib/enclos", "--volume", f"{self._secrets}:/run/secrets/enclos:ro",
            "--env", "ENCLOS_SECRETS=/run/secrets/enclos", *options,
        ]  # fmt: skip

    def python(self, program: str) -> subprocess.CompletedProcess[str]:
        """A program of the image's own Python."""
        options = self.starts("--entrypoint", "/usr/bin/python3")
        return self.call(*options, "enclos:local", "-c", program, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    lock = [sys.executable, str(ROOT / "tools" / "runtime_lock.py")]
    (folder / "requirements.lock").write_bytes(subprocess.run(lock, check=True, capture_output=True).stdout)
    done = subprocess.run(
        [str(ROOT / "deploy" / "oci" / "build"), str(folder), str(folder / "out")],
        env={**os.environ, "PYTHON": sys.executable}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def podman(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    runs = Podman(tmp_path_factory.mktemp("podman"), built / "enclos.oci.tar")
    yield runs
    runs.call("rmi", "--all", "--force")


def configuration(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as whole:

        def read(name: str) -> dict[str, Any]:
            file = whole.extractfile(name)
            assert file
            document: dict[str, Any] = json.load(file)
            return document

        def blob(digest: str) -> dict[str, Any]:
            return read(f"blobs/{digest.replace(':', '/')}")

        manifest = blob(read("index.json")["manifests"][0]["digest"])
        return blob(manifest["config"]["digest"])


def test_it_runs_as_nobody_from_one_layer_without_a_secret(built: Path) -> None:
    found = configuration(built / "enclos.oci.tar")
    assert found["config"]["User"] == f"{USER}:{USER}"
    assert found["config"]["Entrypoint"] == ["/usr/local/bin/enclos"]
    assert not [one for one in found["config"]["Env"] if "ENCLOS" in one]
    assert len(found["rootfs"]["diff_ids"]) == 1


def test_nothing_in_it_raises_rights_and_nothing_installs(built: Path) -> None:
    with tarfile.open(built / "root.tar") as root:
        members = {member.name.removeprefix("./"): member for member in root}
    assert not [name for name, member in members.items() if member.isfile() and member.mode & 0o6000]
    own = ("var/lib/enclos",)
    assert not [
        name for name, m in members.items() if m.isfile() and (m.mode & 0o002 or m.uid == USER) and name not in own
    ]
    assert not {"usr/bin/apt", "usr/bin/apt-get", "usr/bin/pip", "usr/bin/gcc", "usr/bin/curl", "usr/bin/ssh"} & set(
        members
    )
    assert not [name for name in members if "/pip/" in name or name.endswith("direct_url.json")]


def test_its_bill_of_materials_lies_inside_and_names_all_that_is_there(built: Path) -> None:
    beside = (built / "sbom.cdx.json").read_bytes()
    with tarfile.open(built / "root.tar") as root:
        inside = root.extractfile("./usr/share/enclos/sbom.cdx.json")
        status = root.extractfile("./var/lib/dpkg/status")
        assert inside and status
        assert inside.read() == beside
        debian = {line.split()[1] for line in status.read().decode().splitlines() if line.startswith("Package: ")}
        names = [name for name in root.getnames() if name.endswith(".dist-info")]
    parts = json.loads(beside)["components"]
    assert {part["name"] for part in parts if part["purl"].startswith("pkg:deb/")} == debian
    assert (
        len([part for part in parts if part["purl"].startswith("pkg:pypi/")]) == len(names) - 1
    )  # Enclos is the whole
    assert not {"pytest", "ruff", "mypy"} & {part["name"] for part in parts}


def test_it_tells_a_story_without_network_root_or_capability(podman: Podman) -> None:
    assert podman.run("--version").startswith("enclos ")
    at = "/var/lib/enclos"
    podman.run("init", f"{at}/home", "--buckets", "2", "--min-count-floor", "1")
    podman.run("synth", f"{at}/france", "--persons", "200", "--years", "2019-2019", "--seed", "7")
    deliveries = sorted(
        f"{at}/france/deliveries/{one.name}" for one in (podman.data / "france" / "deliveries").iterdir()
    )
    podman.run("ingest", f"{at}/home", *deliveries)
    podman.run("link", f"{at}/home")
    assert json.loads(podman.run("build", f"{at}/home", "--json"))["tables"]["person"] == 200
    assert json.loads(podman.run("hosting", "verify", f"{at}/home", "--json"))["strangers"] == []
    assert json.loads(podman.run("ledger", "verify", f"{at}/home", "--json"))["size"] > 0
    (podman.data / "permit.yaml").write_text(permit_text(), encoding="utf-8")
    os.chown(podman.data / "permit.yaml", USER, USER)
    podman.run("permit", "sign", f"{at}/home", f"{at}/permit.yaml")
    podman.run("permit", "open", f"{at}/home", "FR-TEST-0001")
    asked = ("--permit", "FR-TEST-0001", "--user", ALICE, "SELECT count(*) AS n FROM person", "--format", "csv")
    assert "200" in podman.run("sql", f"{at}/home", *asked)
    owners = {path.stat().st_uid for path in podman.data.rglob("*")}
    assert owners == {USER}


WALLS = """
import os, socket
for place in ("/etc/x", "/usr/local/lib/python3.11/dist-packages/enclos/x.py", "/home/x", "/run/x", "/var/lib/x"):
    try:
        open(place, "w")
    except OSError as error:
        print(type(error).__name__, error.errno)
try:
    socket.create_connection(("192.0.2.1", 443), 3)
except OSError as error:
    print("network", error.strerror)
print(os.getuid(), [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd"))])
"""


def test_it_can_write_nowhere_else_and_reach_nothing(podman: Podman) -> None:
    *places, network, rights = podman.python(WALLS).stdout.splitlines()
    assert len(places) == 5
    assert set(places) <= {"OSError 30", "PermissionError 13"}
    assert network == "network Network is unreachable"
    assert rights == f"{USER} ['0000000000000000', '0000000000000000']"


def test_it_serves_the_register_until_it_is_told_to_end(podman: Podman) -> None:
    podman.run("init", "/var/lib/enclos/served")
    started = podman.run("serve", "/var/lib/enclos/served", options=("--detach", "--name", "serving")).strip()
    assert started
    read = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8400/').read().decode())"
    end = time.monotonic() + 120
    page = ""
    while "</html>" not in page:
        assert time.monotonic() < end, podman.call("logs", "serving", check=False).stderr
        time.sleep(1)
        page = podman.call("exec", "serving", "/usr/bin/python3", "-c", read, check=False).stdout
    podman.call("stop", "--time", "20", "serving")
