"""C2 to C4: the worker's walls, with queries that the guard would never let through."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.confined.enclosing import Walls, confined_command, has_landlock, landlocked_command, walls
from enclos.stores.confined.enclosing import has_bubblewrap as bubblewrap_holds
from enclos.stores.confined.process import Incoming, QueryLimits, run_confined
from factories.asking import SMALL

pytestmark = pytest.mark.system("bubblewrap")

ROWS = pa.table({"a": pa.array([1, 2, 3], pa.int64())})


def run(sql: str, limits: QueryLimits = SMALL, check: Callable[[], None] = lambda: None) -> pa.Table:
    return run_confined(sql, [Incoming("t", "", ROWS.schema, [ROWS])], limits=limits, check=check)


def refused(sql: str, limits: QueryLimits = SMALL, check: Callable[[], None] = lambda: None) -> Code:
    with pytest.raises(Refusal) as caught:
        run(sql, limits, check)
    return caught.value.code


@pytest.fixture(params=[Walls.BUBBLEWRAP, Walls.LANDLOCK], ids=lambda walls: walls.value, autouse=True)
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Walls:
    """Each test runs behind each kind of walls; where bubblewrap is missing the other one is taken."""
    chosen: Walls = request.param
    monkeypatch.setattr("enclos.stores.confined.enclosing.has_bubblewrap", lambda: chosen is Walls.BUBBLEWRAP)
    assert walls() is chosen
    return chosen


def inside(program: str, by: Walls, tmp_path: Path) -> str:
    """What a program of Python prints behind the walls."""
    if by is Walls.BUBBLEWRAP:
        command = [*confined_command(by)[:-1], program]
    else:
        file = tmp_path / "program.py"
        file.write_text(program)
        command = landlocked_command(file)
    done = subprocess.run(command, capture_output=True, text=True, env={}, timeout=60, check=False)
    return done.stdout + done.stderr


def test_this_machine_can_shut_a_process_in(by: Walls) -> None:
    assert walls() is by, "install the Debian package bubblewrap, or a kernel with Landlock"
    assert run("SELECT sum(a) AS s FROM t").to_pylist() == [{"s": 6}]


def test_both_ways_are_there_on_this_machine() -> None:
    assert has_landlock()
    assert bubblewrap_holds(), "install the Debian package bubblewrap"


@pytest.mark.parametrize(
    "sql",
    [
        *("SELECT * FROM read_text('/worker.py')", "SELECT * FROM read_blob('/proc/self/environ')"),
        *("SELECT * FROM glob('/*')", "COPY (SELECT 1) TO '/tmp/x.csv'", "SELECT * FROM sniff_csv('/worker.py')"),
        *("SELECT * FROM read_duckdb('/tmp/x', table_name='t')", "ATTACH '/tmp/x.duckdb' AS x", "LOAD httpfs"),
        *("INSTALL httpfs", "SET enable_external_access = true", "SET lock_configuration = false"),
        *(
            "SET memory_limit = '64GB'",
            "RESET memory_limit",
            "SELECT * FROM rows_of_the_service",
            "EXPORT DATABASE '/tmp/y'",
        ),
    ],
)
def test_c1_06_to_11_past_the_guard_the_engine_is_locked(sql: str) -> None:
    assert refused(sql) is Code.SQL_FAILED


def test_c4_33_no_network(by: Walls, tmp_path: Path) -> None:
    said = inside(
        "import socket\ntry:\n socket.create_connection(('1.1.1.1', 80), 2)\nexcept OSError as e: print('no', e.errno)",
        by,
        tmp_path,
    )
    assert said.startswith("no")
    name = "import socket\ntry:\n socket.getaddrinfo('example.org', 80)\nexcept OSError: print('no name')"
    assert inside(name, by, tmp_path) == "no name\n"
    udp = (
        "import socket\ntry:\n s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        " s.sendto(b'x', ('1.1.1.1', 53))\n print('sent')\nexcept OSError: print('no')"
    )
    assert inside(udp, by, tmp_path) == "no\n"
    local = "import socket\ntry:\n socket.socket(socket.AF_UNIX).connect('\\0x')\nexcept OSError: print('no')"
    assert inside(local, by, tmp_path) == "no\n"


def test_c4_34_no_other_process_and_no_environment(by: Walls, tmp_path: Path) -> None:
    probe = (
        "import os\ntry: n = len([p for p in os.listdir('/proc') if p.isdigit()])\nexcept OSError: n = 0\n"
        "print(n, dict(os.environ))"
    )
    n_processes, environment = inside(probe, by, tmp_path).split(" ", 1)
    assert int(n_processes) <= 2
    assert "PASSPHRASE" not in environment
    assert "HOME" not in environment
    others = "\n".join(
        f"try:\n {attempt}\n print('done')\nexcept (OSError, RuntimeError): print('no')"
        for attempt in (
            f"os.kill({os.getpid()}, 0)",
            f"open('/proc/{os.getpid()}/environ').read()",
            f"os.pidfd_open({os.getpid()})",
        )
    )
    assert inside(f"import os\n{others}", by, tmp_path).split() == ["no"] * 3


def test_c4_31_37_landlocked_starts_nothing(tmp_path: Path) -> None:
    attempts = ("os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", "os.execv('/bin/true', ['true'])")
    attempts += ("os.setuid(1)", "os.chdir('/')", "os.memfd_create('x')", "os.mkdir('/tmp/landlocked')")
    attempts += ("ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0 or os.stat('/nowhere')",)
    program = "import ctypes, os\n" + "\n".join(
        f"try:\n {attempt}\n print('done')\nexcept OSError: print('no')" for attempt in attempts
    )
    assert inside(program, Walls.LANDLOCK, tmp_path).split() == ["no"] * len(attempts)


def test_c4_34_35_no_file_of_the_host(by: Walls, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("CANARY")
    probe = (
        "import os\n"
        f"for p in ({str(secret)!r}, '/etc/passwd', '/root/.ssh', '/home', '/var', '/run'):\n"
        " try: fd = os.open(p, os.O_RDONLY); print('read')\n"
        " except OSError: print(os.path.exists(p))\n"
        "for p in ('/usr/x', '/packages/x', '/worker.py', '/tmp/landlocked'):\n"
        " try: open(p, 'a'); print('wrote')\n"
        " except OSError: print('no')\n"
    )
    assert inside(probe, by, tmp_path).split() == ["False"] * 6 + ["no"] * 4


def test_c3_27_28_endless_queries_are_killed_and_the_next_user_is_unaffected() -> None:
    limits = QueryLimits(memory_mb=256, address_space_mb=1792, threads=1, wall_seconds=2, cpu_seconds=30)
    for sql in (
        "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range < 0",
    ):
        started = time.monotonic()
        assert refused(sql, limits) is Code.SQL_LIMIT
        assert time.monotonic() - started < 10
    assert run("SELECT count(*) AS n FROM t").to_pylist() == [{"n": 3}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT len(repeat('x', 2000000000) || repeat('y', 2000000000))",
        "SELECT len(range(0, 900000000))",
        "SELECT len(repeat('x', 3000000000)) FROM t",
    ],
)
def test_c3_29_bombs_that_the_engine_does_not_count_meet_the_operating_system(sql: str) -> None:
    limits = QueryLimits(memory_mb=256, address_space_mb=1792, threads=1, wall_seconds=20, cpu_seconds=15)
    assert refused(sql, limits) in {Code.SQL_LIMIT, Code.SQL_FAILED}


def test_c3_31_a_result_is_bounded_in_rows_and_bytes() -> None:
    rows = QueryLimits(memory_mb=512, address_space_mb=2048, threads=1, result_rows=1000)
    assert refused("SELECT * FROM range(1001)", rows) is Code.SQL_LIMIT
    n_bytes = QueryLimits(memory_mb=512, address_space_mb=2048, threads=1, result_bytes=1 << 20)
    assert refused("SELECT repeat('x', 1000000) AS x FROM range(3)", n_bytes) is Code.SQL_LIMIT


def test_c2_19_a_fault_leaves_as_a_word_and_never_as_the_engines_text() -> None:
    for sql in ("SELECT CAST('CANARY' || a AS INTEGER) FROM t", "SELECT error('CANARY' || a) FROM t", "SELECT canary"):
        with pytest.raises(Refusal) as caught:
            run(sql)
        assert "canary" not in str(caught.value).lower()


def test_c2_25_no_core_file_and_nothing_left_behind(by: Walls, tmp_path: Path) -> None:
    limits = inside("import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[0])", by, tmp_path)
    assert limits.strip().isdigit() or limits.strip() == "-1"
    look = "import os\ntry: print(os.listdir('/tmp'))\nexcept OSError: print([])"
    assert inside(look, by, tmp_path) == "[]\n"
    assert refused("COPY (SELECT 1) TO '/tmp/x.csv'") is Code.SQL_FAILED


def test_c5_41_the_end_of_a_permit_kills_a_running_query_within_a_second() -> None:
    ended = threading.Event()

    def check() -> None:
        if ended.is_set():
            raise refusal(Code.PERMIT_REVOKED, "This permit was revoked.", "")

    timer = threading.Timer(1.5, ended.set)
    timer.start()
    started = time.monotonic()
    sql = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range < 0"
    assert refused(sql, check=check) is Code.PERMIT_REVOKED
    assert time.monotonic() - started < 1.5 + 1


def test_an_ordinary_user_can_be_shut_in_too() -> None:
    command = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"]
    command += ["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "/bin/true"]
    user = "nobody" if os.geteuid() == 0 else None
    assert subprocess.run(command, user=user, check=False, timeout=30, cwd="/").returncode == 0


def test_without_walls_nothing_runs_unless_it_is_for_trying_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for way in ("has_bubblewrap", "has_landlock"):  # as where neither is
        monkeypatch.setattr(f"enclos.stores.confined.enclosing.{way}", lambda: False)
    assert refused("SELECT 1 AS x") is Code.SQL_UNCONFINED
    tried = run_confined("SELECT 1 AS x", [], limits=SMALL, check=lambda: None, unconfined_for_trying_out=True)
    assert tried.to_pylist() == [{"x": 1}]
