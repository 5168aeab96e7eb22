"""The operating system: its release, updates, accounts, kernel settings, clock and disks."""

from __future__ import annotations

import csv
import ctypes
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path

from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look

_TABLE_DATED = date(2026, 11, 1)
"""When the table of releases was last looked at: a year later it says nothing any more."""
_INDEX_DAYS, _SIGNATURE_DAYS = 7, 2
_MAX_ERROR_US = 1_000_000
_STA_UNSYNC = 0x40
_BARRED = re.compile(r"^\s*(install\s+usb-storage\s+/bin/(false|true)|blacklist\s+usb-storage)", re.MULTILINE)
_STRONG_HASHES = ("$y$", "$gy$", "$argon2", "$scrypt", "$7$", "$6$", "$5$", "$2b$", "$2y$")

_SYSCTLS: dict[str, dict[str, tuple[int, ...]]] = {
    "os.hardening:kernel": {
        "kernel/dmesg_restrict": (1,), "kernel/kptr_restrict": (2,), "kernel/pid_max": (65536,),
        "kernel/perf_cpu_time_max_percent": (1,), "kernel/perf_event_max_sample_rate": (1,),
        "kernel/perf_event_paranoid": (2, 3, 4), "kernel/randomize_va_space": (2,), "kernel/sysrq": (0,),
        "kernel/unprivileged_bpf_disabled": (1, 2), "kernel/panic_on_oops": (1,),
    },
    "os.hardening:yama": {"kernel/yama/ptrace_scope": (1, 2, 3)},
    "os.hardening:ipv4": {
        "net/core/bpf_jit_harden": (2,), "net/ipv4/ip_forward": (0,), "net/ipv4/conf/all/accept_local": (0,),
        **{
            f"net/ipv4/conf/{of}/{name}": (value,)
            for of in ("all", "default")
            for name, value in (
                ("accept_redirects", 0), ("secure_redirects", 0), ("shared_media", 0), ("accept_source_route", 0),
                ("rp_filter", 1), ("send_redirects", 0),
            )
        },
        "net/ipv4/conf/all/arp_filter": (1,), "net/ipv4/conf/all/arp_ignore": (2,),
        "net/ipv4/conf/all/route_localnet": (0,), "net/ipv4/conf/all/drop_gratuitous_arp": (1,),
        "net/ipv4/icmp_ignore_bogus_error_responses": (1,), "net/ipv4/ip_local_port_range": (32768,),
        "net/ipv4/tcp_rfc1337": (1,), "net/ipv4/tcp_syncookies": (1,),
    },
    "os.hardening:files": {
        "fs/suid_dumpable": (0,), "fs/protected_fifos": (2,), "fs/protected_regular": (2,),
        "fs/protected_symlinks": (1,), "fs/protected_hardlinks": (1,),
    },
}  # fmt: skip
"""What ANSSI-BP-028 v2.0 asks of the running kernel: R9, R11, R12, R14; of a range its first port."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine's own files below ``root``: the running one's lie below ``/``."""

    root: Path = Path("/")

    @property
    def is_running(self) -> bool:
        """Whether its programs can be asked, beside its files."""
        return self.root == Path("/")

    def text(self, name: str) -> str:
        """A file's text. Refuses: OSError when it is not there or may not be read."""
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).exists()

    def age_days(self, name: str, today: date) -> int:
        """For how many days nothing in a file or folder was changed."""
        place = self.root / name
        newest = max(each.stat().st_mtime for each in [place, *(place.iterdir() if place.is_dir() else ())])
        return (today - date.fromtimestamp(newest)).days  # noqa: DTZ012 - days, of the machine's own clock

    def asked(self, *command: str) -> str | None:
        """What a program of the machine answers; None where it is missing or fails."""
        program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if not self.is_running or program is None:
            return None
        done = subprocess.run(  # noqa: S603 - fixed commands
            [program, *command[1:]], capture_output=True, text=True, check=False, timeout=60, env={"LC_ALL": "C.UTF-8"}
        )
        return done.stdout if done.returncode == 0 else None


def system_probes(machine: Machine, data: Sequence[Path], today: date) -> list[Look]:
    """The probes of the operating system. In: data — what must lie on encrypted disks."""
    looks = {
        ("os.supported",): lambda: [_supported(machine, today)],
        ("os.patch",): lambda: [_patched(machine, today)],
        ("os.mac",): lambda: [_mandatory_access(machine)],
        ("os.sudo",): lambda: [_privileged(machine)],
        ("os.malware",): lambda: [_malware(machine, today)],
        ("os.inventory",): lambda: [_inventory(machine)],
        ("os.usb-policy",): lambda: [_usb(machine)],
        ("crypto.pwhash",): lambda: [_password_hashes(machine)],
        ("crypto.ssh",): lambda: [_ssh(machine)],
        ("time.sync",): lambda: [_clock(machine)],
        ("disk.enc",): lambda: [_disks(machine, data)],
        tuple(_SYSCTLS): lambda: [_kernel(machine, name) for name in _SYSCTLS],
    }
    return [Look(names, see) for names, see in looks.items()]


def _supported(machine: Machine, today: date) -> Finding:
    facts = dict(line.split("=", 1) for line in machine.text("etc/os-release").splitlines() if "=" in line)
    own = facts.get("ID", "").strip('"'), facts.get("VERSION_ID", "").strip('"')
    text = resources.files("enclos.stores.machine").joinpath("releases.csv").read_text(encoding="utf-8")
    until = {(row["id"], row["version"]): row["fixes_until"] for row in csv.DictReader(text.splitlines())}
    known = until.get(own) or until.get((own[0], own[1].split(".")[0]))
    if known is None or (today - _TABLE_DATED).days > 366:
        return Finding("os.supported", Sight.BLIND, f"the table of {_TABLE_DATED} does not know this release")
    sight = Sight.HOLDS if today < date.fromisoformat(known) else Sight.FAILS
    return Finding("os.supported", sight, f"{own[0]} {own[1]} receives security fixes until {known}", 1)


def _patched(machine: Machine, today: date) -> Finding:
    if not machine.exists("var/lib/apt/lists"):
        return Finding("os.patch", Sight.BLIND, "there is no package index that this probe reads")
    age = machine.age_days("var/lib/apt/lists", today)
    if age > _INDEX_DAYS:
        return Finding("os.patch", Sight.BLIND, f"the package index is {age} days old: it cannot show what is missing")
    said = machine.asked("apt-get", "-s", "-o", "Debug::NoLocking=1", "upgrade")
    if said is None:
        return Finding("os.patch", Sight.BLIND, "the package manager does not answer")
    pending = [line for line in said.splitlines() if line.startswith("Inst ") and "ecurity" in line]
    sight = Sight.FAILS if pending else Sight.HOLDS
    return Finding("os.patch", sight, f"{len(pending)} security updates wait, by an index of {age} days", 1)


def _mandatory_access(machine: Machine) -> Finding:
    modules = machine.text("sys/kernel/security/lsm").strip().split(",")
    enforcing = [
        name
        for name, file, on in (
            ("apparmor", "sys/module/apparmor/parameters/enabled", "Y"),
            ("selinux", "sys/fs/selinux/enforce", "1"),
        )
        if name in modules and machine.exists(file) and machine.text(file).strip() == on
    ]
    said = f"{', '.join(enforcing)} in force" if enforcing else "neither AppArmor nor SELinux is in force"
    return Finding("os.mac", Sight.HOLDS if enforcing else Sight.FAILS, said, len(modules))


def _privileged(machine: Machine) -> Finding:
    accounts = [line.split(":") for line in machine.text("etc/passwd").splitlines() if line.count(":") == 6]
    roots = sum(account[2] == "0" for account in accounts)
    rules = [machine.text("etc/sudoers")] if machine.exists("etc/sudoers") else []
    folder = machine.root / "etc/sudoers.d"
    rules += [file.read_text(errors="replace") for file in sorted(folder.iterdir())] if folder.is_dir() else []
    lines = [line for rule in rules for line in rule.splitlines() if not line.lstrip().startswith("#")]
    free = sum("NOPASSWD" in line for line in lines)
    sight = Sight.HOLDS if roots == 1 and not free else Sight.FAILS
    return Finding("os.sudo", sight, f"{roots} accounts with UID 0, {free} rights without a password", len(accounts))


def _malware(machine: Machine, today: date) -> Finding:
    folder = "var/lib/clamav"
    if not machine.exists(folder):
        return Finding("os.malware", Sight.BLIND, "there is no anti-malware service that this probe knows")
    age = machine.age_days(folder, today)
    running = any((place / "comm").read_text().strip() == "clamd" for place in (machine.root / "proc").glob("[0-9]*"))
    sight = Sight.HOLDS if running and age <= _SIGNATURE_DAYS else Sight.FAILS
    return Finding("os.malware", sight, f"clamd {'runs' if running else 'does not run'}, signatures of {age} days", 1)


def _inventory(machine: Machine) -> Finding:
    status = machine.text("var/lib/dpkg/status")
    n_packages = status.count("\nStatus: install ok installed") + status.startswith("Status: install ok installed")
    digest = hashlib.sha256(status.encode()).hexdigest()[:16]
    sight = Sight.HOLDS if n_packages else Sight.BLIND
    return Finding("os.inventory", sight, f"{n_packages} packages, inventory {digest}", n_packages)


def _usb(machine: Machine) -> Finding:
    if not machine.exists("etc/modprobe.d"):
        return Finding("os.usb-policy", Sight.BLIND, "there are no rules for modules to read")
    texts = [file.read_text(errors="replace") for file in sorted((machine.root / "etc/modprobe.d").glob("*.conf"))]
    barred = any(_BARRED.search(text) for text in texts)
    said = "USB storage is barred" if barred else "no rule bars USB storage"
    return Finding("os.usb-policy", Sight.HOLDS if barred else Sight.FAILS, said, len(texts))


def _password_hashes(machine: Machine) -> Finding:
    fields = [line.split(":")[1] for line in machine.text("etc/shadow").splitlines() if line.count(":") >= 2]
    hashes = [field.lstrip("!") for field in fields if field.lstrip("!*")]
    if not hashes:
        return Finding("crypto.pwhash", Sight.BLIND, "no account of the machine has a password")
    weak = sum(not each.startswith(_STRONG_HASHES) for each in hashes)
    said = f"{weak} of {len(hashes)} passwords of the machine are kept by a weak function"
    return Finding("crypto.pwhash", Sight.FAILS if weak else Sight.HOLDS, said, len(hashes))


def _ssh(machine: Machine) -> Finding:
    if not machine.exists("etc/ssh/sshd_config"):
        return Finding("crypto.ssh", Sight.BLIND, "no SSH server is installed here")
    said = machine.asked("sshd", "-T")
    if said is None:
        return Finding("crypto.ssh", Sight.BLIND, "the SSH server does not tell its settings to this account")
    facts = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    offered = ",".join(facts.get(name, "") for name in ("ciphers", "macs", "kexalgorithms"))
    weak = sorted({each for each in offered.split(",") if re.search(r"cbc|3des|arcfour|md5|sha1(-|$)", each)})
    open_ = [name for name in ("permitrootlogin", "passwordauthentication") if facts.get(name) == "yes"]
    said = f"weak: {', '.join([*open_, *weak]) or 'nothing'}"
    return Finding("crypto.ssh", Sight.FAILS if weak or open_ else Sight.HOLDS, said, 1)


class _Timex(ctypes.Structure):
    """Of adjtimex(2) what stands before the end; the rest is room. Source: Linux, uapi/linux/timex.h, 64 bits."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("room", ctypes.c_byte * 256),
    )  # fmt: skip


def _clock(machine: Machine) -> Finding:
    if not machine.is_running:
        return Finding("time.sync", Sight.BLIND, "the clock of a machine that does not run cannot be asked")
    timex = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
        return Finding("time.sync", Sight.BLIND, "the kernel does not tell how its clock is kept")
    holds = not timex.status & _STA_UNSYNC and timex.maxerror < _MAX_ERROR_US
    kept = "is kept" if not timex.status & _STA_UNSYNC else "is not kept by any source"
    said = f"the kernel's clock {kept}, within {timex.maxerror / 1e6:.1f} s"
    return Finding("time.sync", Sight.HOLDS if holds else Sight.FAILS, said, 1)


def _disks(machine: Machine, data: Sequence[Path]) -> Finding:
    swaps = [line.split()[0] for line in machine.text("proc/swaps").splitlines()[1:] if line.split()]
    devices = {path.stat().st_dev for path in data}
    devices |= {Path(swap).stat().st_rdev or Path(swap).stat().st_dev for swap in swaps if machine.is_running}
    open_ = [f"{os.major(each)}:{os.minor(each)}" for each in devices if not _is_encrypted(machine, each)]
    said = f"{len(devices) - len(open_)} of {len(devices)} devices of data and swap are encrypted by the system"
    if not open_:
        return Finding("disk.enc", Sight.HOLDS, said, len(devices))
    if "hypervisor" in machine.text("proc/cpuinfo") or not all(machine.exists(f"sys/dev/block/{e}") for e in open_):
        return Finding("disk.enc", Sight.BLIND, f"{said}; encryption below this machine cannot be seen from within it")
    return Finding("disk.enc", Sight.FAILS, said, len(devices))


def _is_encrypted(machine: Machine, device: int) -> bool:
    """Whether a layer of the device mapper encrypts it: the device itself, or every one that it lies on."""
    place = machine.root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"

    def is_encrypted(place: Path) -> bool:
        uuid = place / "dm/uuid"
        if uuid.exists() and uuid.read_text().startswith("CRYPT-"):
            return True
        if (place / "partition").exists():  # a partition lies on its disk
            return is_encrypted(place.resolve().parent)
        below = list((place / "slaves").iterdir()) if (place / "slaves").is_dir() else []
        return bool(below) and all(map(is_encrypted, below))

    return place.exists() and is_encrypted(place)


def _kernel(machine: Machine, probe: str) -> Finding:
    wanted = _SYSCTLS[probe]
    seen = {n: int(machine.text(f"proc/sys/{n}").split()[0]) for n in wanted if machine.exists(f"proc/sys/{n}")}
    if not seen:
        return Finding(probe, Sight.BLIND, "the kernel shows none of these settings")
    other = [name.replace("/", ".") for name in wanted if seen.get(name) not in wanted[name]]
    said = f"not as wanted: {', '.join(other)}" if other else f"{len(seen)} settings are as wanted"
    return Finding(probe, Sight.FAILS if other else Sight.HOLDS, said, len(seen))
