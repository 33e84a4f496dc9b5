"""The walls around a child: limits of the kernel, Landlock for files, seccomp for system calls.

Landlock and seccomp are put up where the kernel has them; `raise_walls` answers which stand.
"""

import contextlib
import ctypes
import errno
import os
import resource
import sys
import sysconfig
from pathlib import Path

from designs.sandbox.limits import Limits

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
SIGKILL = 9
CLONE_THREAD = 0x00010000

#: System calls that drawing a file never needs.
FORBIDDEN = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "kill", "tkill", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare",
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "init_module", "finit_module",
    "kexec_load", "io_uring_setup", "io_uring_enter", "open_by_handle_at", "setuid", "setgid", "setgroups", "mknod",
    "mknodat", "link", "linkat", "symlink", "symlinkat", "shmget", "msgget", "semget", "reboot", "swapon", "acct",
)  # fmt: skip


#: Where a program's loader, libraries and fonts are.
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share", "/etc/fonts")


def raise_walls(*, source: Path, folder: Path, limits: Limits, program: str = "") -> list[str]:
    """Limit this very process for good; the names of the walls that stand.

    With `program` that one program may be run in its place, with the system's libraries; `source` is then a folder.
    """
    _prctl(PR_SET_PDEATHSIG, SIGKILL)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_DUMPABLE, 0)
    for kind, value in (
        (resource.RLIMIT_AS, int(limits.memory_bytes)),
        (resource.RLIMIT_CPU, int(limits.cpu_s)),
        (resource.RLIMIT_FSIZE, int(limits.file_bytes)),
        (resource.RLIMIT_NOFILE, int(limits.open_files)),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    walls = ["limits"]
    if _landlock(source, folder, program):
        walls.append("landlock")
    if _seccomp(allowed=frozenset({"execve"}) if program else frozenset()):
        walls.append("seccomp")
    return walls


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _readable() -> list[str]:
    """Where the interpreter and its libraries are: a late import must still work."""
    found = {"/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path}
    found |= {str(Path(__file__).resolve().parents[1]), "/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo"}
    found |= {"/proc/meminfo", "/sys/devices/system/cpu", "/etc/ld.so.cache"}
    return [path for path in sorted(found) if path and Path(path).exists()]


def _landlock(source: Path, folder: Path, program: str) -> bool:
    try:
        from landlock import FSAccess, Ruleset  # noqa: PLC0415 only Linux has it
    except ImportError:
        return False
    reading = FSAccess.READ_FILE | FSAccess.READ_DIR
    try:
        rules = Ruleset()
        for path in _readable():
            rules.allow(path, rules=reading if Path(path).is_dir() else FSAccess.READ_FILE)
        rules.allow(str(source), rules=reading if source.is_dir() else FSAccess.READ_FILE)
        if program:
            for path in LIBRARIES:
                if Path(path).is_dir():
                    rules.allow(path, rules=FSAccess.EXECUTE | reading)
            rules.allow(str(Path(program).resolve()), rules=FSAccess.EXECUTE | FSAccess.READ_FILE)
        rules.allow(
            str(folder),
            rules=reading | FSAccess.WRITE_FILE | FSAccess.MAKE_REG | FSAccess.REMOVE_FILE | FSAccess.TRUNCATE,
        )
        rules.apply()
    except (OSError, ValueError, AttributeError):
        return False
    return True


def _seccomp(*, allowed: frozenset[str]) -> bool:
    try:
        import pyseccomp  # noqa: PLC0415 needs libseccomp of the system
    except (ImportError, RuntimeError, OSError):
        return False
    try:
        rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
        refuse = pyseccomp.ERRNO(errno.EPERM)
        for call in FORBIDDEN:
            if call in allowed:
                continue
            with contextlib.suppress(OSError, ValueError):  # not every machine has every call
                rules.add_rule(refuse, call)
        # Threads are clones too: only those may be made. clone3 hides its flags; the C library falls back to clone.
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, 0))
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
        rules.load()
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def close_what_is_open(keep: set[int]) -> None:
    """Close every file that came from the parent, but those."""
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)
