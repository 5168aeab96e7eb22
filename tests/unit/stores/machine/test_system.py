"""Probes of the operating system read files of a machine, and say when they cannot."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from enclos.conformity.model import Sight
from enclos.conformity.steps import look
from enclos.stores.machine.network import listening, network_probes
from enclos.stores.machine.system import Machine, system_probes

TODAY = date(2026, 11, 28)
HEAD = "  sl  local_address rem_address   st\n"
SYSCTLS = {
    "kernel/dmesg_restrict": 1,
    "kernel/kptr_restrict": 2,
    "kernel/pid_max": 65536,
    "kernel/perf_cpu_time_max_percent": 1,
    "kernel/perf_event_max_sample_rate": 1,
    "kernel/perf_event_paranoid": 3,
    "kernel/randomize_va_space": 2,
    "kernel/sysrq": 0,
    "kernel/unprivileged_bpf_disabled": 2,
    "kernel/panic_on_oops": 1,
}


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def seen(root: Path, *names: str, ports: tuple[int, ...] | None = None) -> dict[str, Sight]:
    machine = Machine(root)
    probes = [*system_probes(machine, [root], TODAY), *network_probes(machine, ports)]
    wanted = names or tuple(name for probe in probes for name in probe.names)
    return {name: finding.sight for name, finding in look(probes, wanted).items()}


def test_a_machine_that_shows_nothing_demonstrates_nothing(tmp_path: Path) -> None:
    sights = seen(tmp_path)
    assert len(sights) > 12
    assert set(sights.values()) == {Sight.BLIND}


@pytest.mark.parametrize(
    ("probe", "name", "good", "bad"),
    [
        ("os.supported", "etc/os-release", "ID=debian\nVERSION_ID=13\n", "ID=debian\nVERSION_ID=11\n"),
        ("os.sudo", "etc/passwd", "root:x:0:0:r:/:/b\na:x:1:1:a:/:/b\n", "root:x:0:0:r:/:/b\na:x:0:1:a:/:/b\n"),
        ("crypto.pwhash", "etc/shadow", "root:$y$j9T$x:1:\na:!:1:\n", "root:$1$x:1:\n"),
        ("os.usb-policy", "etc/modprobe.d/a.conf", "install usb-storage /bin/true\n", "# usb-storage\n"),
        ("os.hardening:yama", "proc/sys/kernel/yama/ptrace_scope", "1\n", "0\n"),
    ],
)
def test_what_a_file_says_decides(tmp_path: Path, probe, name, good, bad) -> None:
    put(tmp_path, name, good)
    assert seen(tmp_path, probe) == {probe: Sight.HOLDS}
    put(tmp_path, name, bad)
    assert seen(tmp_path, probe) == {probe: Sight.FAILS}


def test_a_release_that_the_table_does_not_know_is_not_shown(tmp_path: Path) -> None:
    put(tmp_path, "etc/os-release", 'ID=somelinux\nVERSION_ID="1"\n')
    assert seen(tmp_path, "os.supported") == {"os.supported": Sight.BLIND}


def test_every_setting_of_the_kernel_is_wanted(tmp_path: Path) -> None:
    for name, value in SYSCTLS.items():
        put(tmp_path, f"proc/sys/{name}", f"{value}\n")
    assert seen(tmp_path, "os.hardening:kernel") == {"os.hardening:kernel": Sight.HOLDS}
    for name, value in SYSCTLS.items():
        put(tmp_path, f"proc/sys/{name}", "9\n")
        assert seen(tmp_path, "os.hardening:kernel") == {"os.hardening:kernel": Sight.FAILS}
        put(tmp_path, f"proc/sys/{name}", f"{value}\n")


def test_access_control_is_in_force_or_only_there(tmp_path: Path) -> None:
    put(tmp_path, "sys/kernel/security/lsm", "lockdown,apparmor\n")
    assert seen(tmp_path, "os.mac") == {"os.mac": Sight.FAILS}
    put(tmp_path, "sys/module/apparmor/parameters/enabled", "Y\n")
    assert seen(tmp_path, "os.mac") == {"os.mac": Sight.HOLDS}


def test_an_old_index_of_packages_cannot_show_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/apt/lists/Packages", "")
    old = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    for place in (tmp_path / "var/lib/apt/lists/Packages", tmp_path / "var/lib/apt/lists"):
        os.utime(place, (old, old))
    assert seen(tmp_path, "os.patch") == {"os.patch": Sight.BLIND}


@pytest.mark.parametrize(
    ("uuid", "flags", "sight"),
    [
        ("CRYPT-LUKS2-x", "", Sight.HOLDS),
        ("LVM-x", "", Sight.FAILS),
        ("LVM-x", "hypervisor", Sight.BLIND),
    ],
)
def test_a_disk_is_encrypted_where_a_layer_says_so_and_unknown_on_a_virtual_machine(
    tmp_path: Path, uuid, flags, sight
) -> None:
    device = tmp_path.stat().st_dev
    place = f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    put(tmp_path, "proc/swaps", "Filename Type\n")
    put(tmp_path, "proc/cpuinfo", f"flags : fpu {flags}\n")
    put(tmp_path, f"{place}/dm/uuid", uuid)
    assert seen(tmp_path, "disk.enc") == {"disk.enc": sight}


def test_a_volume_over_two_disks_is_encrypted_only_if_both_are(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    place = f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    put(tmp_path, "proc/swaps", "Filename Type\n")
    put(tmp_path, "proc/cpuinfo", "flags : fpu\n")
    put(tmp_path, f"{place}/slaves/one/dm/uuid", "CRYPT-x")
    put(tmp_path, f"{place}/slaves/two/dm/uuid", "CRYPT-y")
    assert seen(tmp_path, "disk.enc") == {"disk.enc": Sight.HOLDS}
    put(tmp_path, f"{place}/slaves/two/dm/uuid", "LVM-y")
    assert seen(tmp_path, "disk.enc") == {"disk.enc": Sight.FAILS}


def test_ports_are_those_that_others_can_reach_and_need_a_declaration(tmp_path: Path) -> None:
    lines = "0: 00000000:01BB 0:0 0A\n 1: 0100007F:1538 0:0 0A\n 2: 00000000:1F90 0:0 01\n"
    put(tmp_path, "proc/net/tcp", HEAD + lines)
    put(tmp_path, "proc/net/tcp6", HEAD + "0: 00000000000000000000000001000000:0016 0:0 0A\n")
    assert listening(Machine(tmp_path)) == {443}
    sights = [seen(tmp_path, "net.ports", ports=ports)["net.ports"] for ports in (None, (), (22,), (443, 22))]
    assert sights == [Sight.BLIND, Sight.FAILS, Sight.FAILS, Sight.HOLDS]


def test_the_clock_of_this_machine_is_asked() -> None:
    probes = system_probes(Machine(), [Path("/")], TODAY)
    assert look(probes, ["time.sync"])["time.sync"].sight in {Sight.HOLDS, Sight.FAILS}
