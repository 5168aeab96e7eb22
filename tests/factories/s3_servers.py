"""Real S3 servers on loopback, from Debian packages, each started once by a test process that asks for it.

Ceph: one monitor, one storage daemon that keeps everything in memory, and the RADOS gateway; ready in about a second.
"""

from __future__ import annotations

import atexit
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from enclos.stores.objects import S3Credentials, S3Objects, S3Place

_LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 60
_MAY_HAVE_TOKENS = """{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["sts:GetSessionToken", "s3:*"], "Resource": ["arn:aws:sts:::*", "arn:aws:s3:::*"]}
]}"""
"""Source: Ceph 16 documentation (STS Lite): a user's policy lets them ask for tokens."""


@dataclass(frozen=True)
class S3Server:
    """A server that runs, and who may use it."""

    endpoint: str
    key_id: str
    secret: str

    def client(self) -> Any:
        """A client of its own: what a host could do with the objects that it keeps."""
        return botocore.session.Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def temporary(self) -> tuple[str, str, str]:
        """Key, secret and session token that its security token service gives for a quarter of an hour."""

        def service(name: str) -> Any:
            return botocore.session.Session().create_client(
                name,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id=self.key_id,
                aws_secret_access_key=self.secret,
            )

        service("iam").put_user_policy(UserName="enclos", PolicyName="tokens", PolicyDocument=_MAY_HAVE_TOKENS)
        given = service("sts").get_session_token(DurationSeconds=900)["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name

    def url(self, bucket: str, prefix: str = "lake") -> str:
        """The URL that init takes."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it."""
        return {"ENCLOS_S3_KEY_ID": self.key_id, "ENCLOS_S3_SECRET": self.secret}

    def objects(self, bucket: str, prefix: str = "lake") -> S3Objects:
        """The port of the product onto a prefix."""
        return S3Objects(S3Place.from_url(self.url(bucket, prefix)), S3Credentials(self.key_id, self.secret))

    def kept(self, bucket: str) -> dict[str, bytes]:
        """All that the host has, by key: what it could read."""
        client = self.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def free_ports(n: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    held = [socket.socket() for _ in range(n)]
    for each in held:
        each.bind((_LOOPBACK, 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def wait_for(ready: Callable[[], bool], what: str) -> None:
    """Wait until something is ready; fail the test with its name when it never is."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not start"
        time.sleep(0.03)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_LOOPBACK, port)) == 0


def folder_of_servers(name: str) -> Path:
    """A folder for a server's files; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix=f"enclos-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Daemons:
    """The processes of one server, ended with the test process."""

    def __init__(self, folder: Path, environment: Mapping[str, str], user: str | None = None) -> None:
        self._folder = folder
        self._user = user
        self._environment = {**os.environ, **environment}
        self._running: list[subprocess.Popen[bytes]] = []
        atexit.register(self.stop)

    def start(self, *command: object) -> None:
        """Start one that stays."""
        words = [str(part) for part in command]
        rights: dict[str, Any] = {"cwd": self._folder, "env": self._environment, "user": self._user}
        with (self._folder / f"{Path(words[0]).name}-{len(self._running)}.out").open("wb") as log:
            self._running.append(subprocess.Popen(words, stdout=log, stderr=log, **rights))

    def run(self, *command: object) -> str:
        """Run one to its end; it must end well."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
            user=self._user,
        )
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr[-600:]}"
        return done.stdout

    def stop(self) -> None:
        """End them all, the newest first."""
        for process in reversed(self._running):
            process.kill()
            process.wait()


_CEPH = """\
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{mon},v1:127.0.0.1:{mon_v1}]
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_bind_msgr2 = true
ms_bind_ipv4 = true
ms_bind_ipv6 = false
ms_cluster_mode = crc
ms_service_mode = crc
ms_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
ms_mon_client_mode = crc
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data = {folder}/mon
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_warn_on_insecure_global_id_reclaim = false
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_max_object_name_len = 460
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
log_file = {folder}/$name.log
run_dir = {folder}
admin_socket = {folder}/$name.asok
pid_file = {folder}/$name.pid
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_run_sync_thread = false
rgw_enable_gc_threads = false
rgw_enable_lc_threads = false
rgw_s3_auth_use_sts = true
rgw_sts_key = {sts}
"""


@cache
def ceph() -> S3Server:
    """The RADOS gateway of a Ceph cluster of one. Source: Ceph 16 documentation (manual deployment, memstore)."""
    assert shutil.which("radosgw"), "radosgw is not installed: make test does it for root"
    folder = folder_of_servers("ceph")
    mon, mon_v1, gateway = free_ports(3)
    fsid, osd = uuid.uuid4(), uuid.uuid4()
    settings = folder / "ceph.conf"
    settings.write_text(
        _CEPH.format(fsid=fsid, mon=mon, mon_v1=mon_v1, gateway=gateway, folder=folder, sts=secrets.token_hex(8))
    )
    for part in ("mon", "osd"):
        (folder / part).mkdir()
    daemons = Daemons(folder, {"CEPH_CONF": str(settings)})
    addresses = f"[v2:{_LOOPBACK}:{mon},v1:{_LOOPBACK}:{mon_v1}]"
    features = ("--enable-all-features", "--set-min-mon-release", "pacific")
    daemons.run("monmaptool", "--create", "--addv", "a", addresses, "--fsid", fsid, "monmap", *features)
    daemons.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap")
    daemons.start("ceph-mon", "-f", "-i", "a")
    daemons.run("ceph", "osd", "new", osd)
    daemons.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
    daemons.start("ceph-osd", "-f", "-i", "0")
    wait_for(lambda: "1 up" in daemons.run("ceph", "osd", "stat"), "ceph-osd")
    daemons.start("radosgw", "-f", "-n", "client.admin")
    wait_for(lambda: listens(gateway), "radosgw")
    key_id, secret = secrets.token_hex(10), secrets.token_hex(20)
    new = ("--uid", "enclos", "--display-name", "enclos", "--access-key", key_id, "--secret-key", secret)
    daemons.run("radosgw-admin", "user", "create", *new, "--caps", "user-policy=*")
    return S3Server(f"http://{_LOOPBACK}:{gateway}", key_id, secret)


_SWIFT_PARTS = ("object", "container", "account")
_SWIFT_SERVER = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
workers = 0
log_level = ERROR
[pipeline:main]
pipeline = {part}-server
[app:{part}-server]
use = egg:swift#{part}
"""
_SWIFT_PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {folder}
workers = 0
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_enclos_keeper = {secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""

_SWIFT_RINGS = """\
import sys
from swift.common.ring import RingBuilder
for place in sys.argv[1:]:
    part, port = place.split("=")
    at = {"ip": "127.0.0.1", "port": int(port), "replication_ip": "127.0.0.1", "replication_port": int(port)}
    ring = RingBuilder(1, 1, 0)
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "device": "one", "weight": 1.0, "meta": "", **at})
    ring.rebalance()
    ring.get_ring().save(f"{part}.ring.gz")
"""
"""Run by the system's Python, which has the package."""


@cache
def swift() -> S3Server:
    """OpenStack Swift with its S3 interface, on one device. Source: Swift 2.30 documentation (SAIO, s3api)."""
    assert shutil.which("swift-proxy-server"), "swift-proxy is not installed: make test does it for root"
    folder = folder_of_servers("swift")
    proxy, memcached, *ports = free_ports(2 + len(_SWIFT_PARTS))
    secret, user = secrets.token_hex(20), getpass.getuser()
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n")
    daemons = Daemons(folder, {"PYTHONPATH": "", "PYTHONWARNINGS": "ignore"})
    for part, port in zip(_SWIFT_PARTS, ports, strict=True):
        settings = folder / f"{part}.conf"
        settings.write_text(_SWIFT_SERVER.format(part=part, port=port, user=user, folder=folder))
        daemons.start(f"swift-{part}-server", settings)
    daemons.run(
        "/usr/bin/python3", "-c", _SWIFT_RINGS, *(f"{at[0]}={at[1]}" for at in zip(_SWIFT_PARTS, ports, strict=True))
    )
    text = _SWIFT_PROXY.format(port=proxy, memcached=memcached, user=user, folder=folder, secret=secret)
    (folder / "proxy.conf").write_text(text)
    daemons.start("memcached", "-l", _LOOPBACK, "-p", memcached, "-u", user)
    daemons.start("swift-proxy-server", folder / "proxy.conf")
    for port in (memcached, proxy, *ports):
        wait_for(lambda port=port: listens(port), "swift")
    return S3Server(f"http://{_LOOPBACK}:{proxy}", "enclos:keeper", secret)
