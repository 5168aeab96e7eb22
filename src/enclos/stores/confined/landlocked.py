"""Shuts its own process in by Landlock and seccomp, then runs the worker: where bubblewrap is missing.

It stands alone, like the worker: ``python landlocked.py SITE PROGRAM PLACE…``. Landlock leaves Python and the packages
readable while they load; then a seccomp filter of the calls that computing needs takes away opening files at all,
sockets, other processes and signals. What stays, unlike behind bubblewrap's walls: the machine's name and
numbers of processes.

Source: Linux, Documentation/userspace-api/landlock.rst and seccomp_filter.rst; x86-64 only, where it is tested.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_NO_NEW_PRIVS, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT, _SECCOMP = 38, 444, 445, 446, 317
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""All rights over files, by the version of Landlock that knows them."""
_ARCH_X86_64 = 0xC000003E
_ALLOW, _EPERM, _ENOENT, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050002, 0x00050026, 0x80000000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NR, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_CLONE, _CLONE3, _TGKILL, _PRLIMIT = 56, 435, 234, 302
_CLONE_THREAD = 0x10000
_PATHS = {"open": 2, "stat": 4, "lstat": 6, "access": 21, "readlink": 89, "openat": 257, "newfstatat": 262,
          "readlinkat": 267, "faccessat": 269, "statx": 332, "faccessat2": 439}  # fmt: skip
"""Calls that look for a path: nothing is there."""

_COMPUTING = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19,
    "writev": 20, "select": 23, "sched_yield": 24, "mremap": 25, "mincore": 27, "madvise": 28, "dup": 32,
    "nanosleep": 35, "getpid": 39, "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "gettimeofday": 96,
    "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107,
    "getegid": 108, "getppid": 110, "sigaltstack": 131, "sched_getparam": 143, "sched_getscheduler": 145,
    "prctl": 157, "arch_prctl": 158, "setrlimit": 160, "gettid": 186, "time": 201, "futex": 202,
    "sched_setaffinity": 203, "sched_getaffinity": 204, "set_tid_address": 218, "restart_syscall": 219,
    "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "epoll_wait": 232, "epoll_ctl": 233, "get_mempolicy": 239, "pselect6": 270, "ppoll": 271, "set_robust_list": 273,
    "get_robust_list": 274, "epoll_create1": 291, "eventfd2": 290, "pipe2": 293, "getcpu": 309, "getrandom": 318,
    "membarrier": 324, "rseq": 334,
}  # fmt: skip
"""Calls that need no path and reach nobody else."""

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/proc/self/cgroup", "/sys/fs/cgroup")
"""What is read while Python and DuckDB load; DuckDB asks for the memory that its group may use."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Absent:
    """What else is installed is not there: pyarrow asks for pandas and cloudpickle, whose files cannot be opened."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        """Nothing, so that others look; an absent module is said to be absent."""
        if name.partition(".")[0] in self._names:
            raise ModuleNotFoundError(name=name)


def landlock_version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    if os.uname().machine != "x86_64":
        return 0
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def restrict_files(site: str, places: list[str]) -> None:
    """Leave only Python, its packages and the system's libraries readable; nothing writable, no TCP, no signals out."""
    version = landlock_version()
    if version < 1:
        raise OSError("no Landlock")
    rights = _RIGHTS[min(version, max(_RIGHTS))]
    attributes = struct.pack("QQQ", rights, 3, 3)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    size = ctypes.c_size_t(len(attributes))
    ruleset = _checked(_libc.syscall(_LANDLOCK_CREATE, attributes, size, ctypes.c_uint32(0)))
    readable = [*_SYSTEM, sys.base_prefix, *places]
    for path, allowed in [(site, _READ_DIR), *((path, _READ_FILE | _READ_DIR | _EXECUTE) for path in readable)]:
        if not os.path.exists(path):  # noqa: PTH110 - only what is loaded already
            continue
        fitting = allowed if os.path.isdir(path) else allowed & ~_READ_DIR  # noqa: PTH112
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", fitting, handle)
        _checked(_libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0))
        os.close(handle)
    _checked(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)


def restrict_calls() -> None:
    """From here on only the calls of ``_COMPUTING``, threads of its own, and limits of its own."""
    program = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, _ARCH_X86_64), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NR)]
    for number in _COMPUTING.values():
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number, test, value in (
        (_CLONE, _ANY_BIT, _CLONE_THREAD),
        (_TGKILL, _EQUAL, os.getpid()),
        (_PRLIMIT, _EQUAL, 0),
    ):
        program += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _FIRST_ARGUMENT), (test, 0, 1, value)]
        program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _EPERM)]
    for number in _PATHS.values():
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ENOENT)]
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ENOSYS), (_RETURN, 0, 0, _EPERM)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filter_ = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    _checked(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_libc.syscall(_SECCOMP, 1, 1, filter_))  # every thread at once


def main() -> None:
    """Load what the program needs, shut the door, run the program."""
    site, program, *places = sys.argv[1:]
    with open(program, "rb") as file:  # noqa: PTH123 - only what is loaded already
        code = compile(file.read(), "worker", "exec")
    shown = {os.path.basename(place).partition(".")[0] for place in places}  # noqa: PTH119 - only what is loaded already
    installed = {name.partition(".")[0] for name in os.listdir(site)}  # noqa: PTH208 - only what is loaded already
    sys.meta_path.insert(0, _Absent(installed - shown))
    restrict_files(site, places)
    sys.path.insert(0, site)
    import encodings.idna  # noqa: F401
    import io  # noqa: F401
    import json  # noqa: F401
    import resource  # noqa: F401
    import socket  # noqa: F401 - so that a probe finds it and learns that it is of no use
    import subprocess  # noqa: F401

    import duckdb
    import pyarrow as pa

    with duckdb.connect(config={"temp_directory": ""}) as connection:  # what loads late loads now
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("warm", pa.table({"a": [1], "b": ["x"]}))
        connection.execute("SELECT count(*), b FROM warm GROUP BY b").to_arrow_table()
        connection.unregister("warm")
    restrict_calls()
    exec(code, {"__name__": "__main__"})  # noqa: S102 - the worker of this installation, read before


def _checked(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "this process cannot be shut in")
    return answer


if __name__ == "__main__":
    main()
