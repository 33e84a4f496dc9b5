"""The run of one group of modules, inside pytest: `pytest -p tests.mutation.plugin --mutate GROUP TESTS`.

The tests run once as they are, which says what each covers and how long it takes, and once more in the order of
mutants: what fails here counts for nothing later. Then each mutant has a process of its own, forked from this one with
everything loaded, and connections of its own to the same database: the quickest tests that cover its lines, until one
fails. A process that hangs is ended, and the database emptied after it.
"""

import ast
import gc
import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant, apply, mutants_of, source_of
from tests.mutation.table import group_of, verdicts, write_verdicts

KILLED, SURVIVED, TIMEOUT, UNCOVERED = "killed", "survived", "timeout", "uncovered"
CODES = {10: KILLED, 11: SURVIVED}
#: What the processor may do for a mutant beyond what its tests need, and how often that.
CPU_SPARE_S, TIMES = 15, 6


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which group, which share of its mutants, whether those that were found stay found, seconds of tests for one."""
    group = parser.getgroup("mutation")
    group.addoption("--mutate", default=None)
    group.addoption("--every", type=int, default=1)
    group.addoption("--again", action="store_true")
    group.addoption("--only", default="")
    group.addoption("--patience", type=float, default=20.0)


def pytest_configure(config: pytest.Config) -> None:
    """Examples are the same each time and a failing one is not made smaller: that it fails is all we want to know."""
    from hypothesis import Phase, settings

    settings.register_profile("mutation", database=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutation")
    config.option.tbstyle = "no"


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Mutants instead of tests."""
    if session.config.option.mutate is None:
        return None
    if session.testsfailed:
        raise session.Interrupted("tests that cannot be collected find nothing")
    Round(session).run()
    return True


class Round:
    """One group of modules."""

    def __init__(self, session: pytest.Session) -> None:
        self.session, self.options = session, session.config.option
        self.group = group_of(self.options.mutate)
        self.files = {module: str(source_of(module)) for module in self.group.modules}
        self.took: dict[str, float] = {}
        self.items = {item.nodeid: item for item in session.items}
        self.covers: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.statements = {module: _statements(Path(file)) for module, file in self.files.items()}
        self.found_by: dict[str, Counter[str]] = defaultdict(Counter)

    def run(self) -> None:
        """All of it; what was tried is written down also when it is ended before."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._as_they_are()
        mutants = [one for module in self.group.modules for one in mutants_of(module) if self._chosen(one)]
        known, rows = self._known(), list[dict[str, Any]]()
        try:
            for nth, one in enumerate(mutants):
                rows.append(known.get(_key(one)) or self._row(one, nth, len(mutants)))
        finally:
            partial = bool(self.options.only) or self.options.every > 1 or len(rows) < len(mutants)
            write_verdicts(self.group.name, rows, partial=partial)

    def _known(self) -> dict[str, dict[str, Any]]:
        """What was found before, by a test that is still there."""
        before = verdicts(self.group.name) if self.options.again else {}
        there = {"", *self.took}
        return {key: was for key, was in before.items() if was["verdict"] in {KILLED, TIMEOUT} and was["by"] in there}

    def _chosen(self, one: Mutant) -> bool:
        if self.options.only and self.options.only not in f"{one.module}:{one.function}":
            return False
        return int(_key(one), 16) % self.options.every == 0

    # --- the tests as they are ---------------------------------------------------------------------------------------

    def _as_they_are(self) -> None:
        seen = coverage.Coverage(data_file=None, config_file=False, include=list(self.files.values()))
        seen.start()
        for nth, item in enumerate(self.session.items):
            seen.switch_context(item.nodeid)
            began = time.monotonic()
            following = self.session.items[nth + 1] if nth + 1 < len(self.session.items) else self.session
            good = _passes(item, following)
            if good:
                self.took[item.nodeid] = time.monotonic() - began
            else:
                _say(f"left out, for it fails or is skipped by itself: {item.nodeid}")
        seen.stop()
        gc.freeze()  # what is there stays shared between all forked processes
        data = seen.get_data()
        for module, file in self.files.items():
            for line, tests in data.contexts_by_lineno(file).items():
                self.covers[module, line] |= set(tests) & set(self.took)
        self._control()

    def _control(self) -> None:
        """In the order of mutants, on an emptied database, without a mutant: what fails now is left out."""
        for name in [name for name, took in self.took.items() if took > self.options.patience]:
            _say(f"left out, for it takes {self.took.pop(name):.0f} s: {name}")
        self._empty()
        tests = sorted(self.took, key=self.took.__getitem__)
        _code, failed = self._in_a_process(None, tests, to_the_end=True)
        for name in failed:
            _say(f"left out, for it fails in another order: {name}")
            del self.took[name]
        _say(f"{len(self.took)} tests, {sum(self.took.values()):.0f} s of them")

    # --- one mutant --------------------------------------------------------------------------------------------------

    def _row(self, one: Mutant, nth: int, of: int) -> dict[str, Any]:
        tests = self._tests_of(one)
        verdict, by = (UNCOVERED, "") if not tests else self._tried(one, tests)
        if by:
            self.found_by[one.function][by] += 1
        if verdict in {SURVIVED, UNCOVERED, TIMEOUT} or nth % 100 == 0:
            _say(f"[{nth + 1}/{of}] {verdict} {one.name}  {' '.join(one.change.split())[:300]}")
        where = {"module": one.module, "function": one.function, "line": one.first_line, "change": one.change}
        return {"key": _key(one), "verdict": verdict, "by": by, "tests": len(tests), **where}

    def _tests_of(self, one: Mutant) -> list[str]:
        """What covers its lines, what found its neighbours first, then the quickest, as long as patience lasts."""
        first, last = self._lines(one)
        names: set[str] = set().union(*(self.covers[one.module, line] for line in range(first, last + 1)))
        names &= set(self.took)
        if not names:
            names = {name for name in self.took if any(name.startswith(file) for file in self.group.blind)}
        found = self.found_by[one.function]
        ordered = sorted(names, key=lambda name: (-found[name], self.took[name]))
        spent, chosen = 0.0, list[str]()
        for name in ordered:
            spent += self.took[name]
            if chosen and spent > self.options.patience:
                break
            chosen.append(name)
        return chosen

    def _lines(self, one: Mutant) -> tuple[int, int]:
        """The lines of the smallest statement around it: Python does not tell of each line of a longer one."""
        own = (one.first_line, one.last_line)
        around = [lines for lines in self.statements[one.module] if lines[0] <= own[0] and own[1] <= lines[1]]
        return min(around, key=lambda lines: lines[1] - lines[0], default=own)

    def _tried(self, one: Mutant, tests: Sequence[str]) -> tuple[str, str]:
        code, failed = self._in_a_process(one, tests)
        if code not in CODES:
            self._empty()
            return TIMEOUT, ""
        return CODES[code], failed[0] if failed else ""

    def _in_a_process(
        self, one: Mutant | None, tests: Sequence[str], *, to_the_end: bool = False
    ) -> tuple[int, list[str]]:
        """How a process ended that ran these tests, and which failed."""
        from django.db import connections

        module = importlib.import_module(one.module) if one else None
        need_s = sum(self.took[name] for name in tests)
        connections.close_all()
        sys.stdout.flush()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 12
            try:
                os.setsid()
                os.close(read)
                cpu_s = int(CPU_SPARE_S + TIMES * need_s)
                resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
                if one is not None and module is not None:
                    apply(one, module)
                failed = self._failing(tests, to_the_end=to_the_end)
                os.write(write, json.dumps(failed).encode())
                code = 10 if failed else 11
            finally:
                os._exit(code)
        os.close(write)
        code = _ended(pid, 2 * (CPU_SPARE_S + TIMES * need_s))
        with os.fdopen(read, "rb") as pipe:
            os.set_blocking(pipe.fileno(), False)
            said = pipe.read()
        return code, json.loads(said) if said else []

    def _failing(self, tests: Sequence[str], *, to_the_end: bool) -> list[str]:
        failed = []
        items = [self.items[name] for name in tests]
        for item, following in zip(items, [*items[1:], self.session], strict=True):
            if not _passes(item, following):
                failed.append(item.nodeid)
                if not to_the_end:
                    break
        return failed

    def _empty(self) -> None:
        """After a process that was ended in the middle: nobody holds a lock, and nothing stays of it."""
        from django.core.management import call_command
        from django.db import connection, connections
        from pytest_django.plugin import blocking_manager_key

        with self.session.config.stash[blocking_manager_key].unblock():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                cursor.execute("TRUNCATE devices_reading")
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            connections.close_all()


def _passes(item: pytest.Item, following: Any) -> bool:
    """Whether setup, test and teardown are good; nothing is reported."""
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.passed for report in reports)


def _ended(pid: int, within_s: float) -> int:
    """The exit code of a process; it and all that it started are ended when it takes longer."""
    until = time.monotonic() + within_s
    pause_s = 0.002
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -signal.SIGKILL
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, 0.05)


def _statements(file: Path) -> list[tuple[int, int]]:
    """First and last line of each statement; of a compound one its head, of a function all of it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        whole = not body or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        last = (node.end_lineno or node.lineno) if whole else max(node.lineno, body[0].lineno - 1)
        found.append((node.lineno, last))
    return found


def _key(one: Mutant) -> str:
    return hashlib.sha256(f"{one.module}\0{one.was}\0{one.now}".encode()).hexdigest()[:16]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
