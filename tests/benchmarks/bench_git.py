"""How fast clones and pushes go, against `git http-backend` behind nginx, and what they cost the web process.

    python tests/benchmarks/bench_git.py [--mb 100] [--rounds 5] [--repository PATH] [--only clone|push]

It starts a whole web server of ours with a PostgreSQL and a Valkey of its own, and nginx with fcgiwrap on another port
that serves a copy of the same repository. Both run as the same account. Clones (`--bare`, so that no files are checked
out) and pushes (into an empty repository) alternate between the two; the median of each counts. The rival of pushes has
the same safety: objects are checked (`receive.fsckObjects`) and forced to the disk (`core.fsync=all`); what stock git
does, which checks and forces nothing, is shown beside it. Without nginx and fcgiwrap nothing is compared.

The repository is made anew, always the same: text that grows in a thousand commits, and files that cannot be
compressed. Ratios count; seconds are the machine's.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

LIMIT = 1.15
MEMORY_LIMIT_MB = 150
PARALLEL = 8
NGINX = """\
user {user};
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/(?<kind>safe|stock)(?<rest>/.*)$ {{
      fastcgi_pass unix:{folder}/fcgi.sock;
      fastcgi_request_buffering off;
      fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {folder}/rival;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_CONFIG_GLOBAL {folder}/$kind.gitconfig;
      fastcgi_param GIT_CONFIG_NOSYSTEM 1;
      fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param PATH_INFO $rest;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param REMOTE_USER bench;
      fastcgi_param REMOTE_ADDR $remote_addr;
    }}
  }}
}}
"""
STOCK = "[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n"
SAFE = STOCK + "[receive]\n\tfsckObjects = true\n\tunpackLimit = 1\n[core]\n\tfsync = all\n\tfsyncMethod = fsync\n"


def say(words: str) -> None:
    """A line of the report."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def client_git(*arguments: str | Path, cwd: Path | None = None) -> float:
    """Run stock git without any configuration; the seconds it took."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    begin = time.perf_counter()
    done = subprocess.run(["git", *arguments], cwd=cwd, env=env, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - begin


def history(into: IO[bytes], megabytes: int) -> None:
    """A fast-import stream of a thousand commits: growing text, and incompressible files of a megabyte."""
    chance = random.Random(20261122)
    every = max(1, 1000 // max(1, megabytes))
    for number in range(1, 1001):
        into.write(b"commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 2\nm\n" % (1.6e9 + number))
        text = b"".join(b"line %d of %d\n" % (line, chance.randrange(10**9)) for line in range(40))
        into.write(b"M 100644 inline docs/part%d.md\ndata %d\n%s\n" % (number % 50, len(text), text))
        if number % every == 0 and number // every <= megabytes:
            noise = chance.randbytes(1_000_000)
            into.write(b"M 100644 inline parts/%d.stl\ndata %d\n%s\n" % (number, len(noise), noise))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def memory_mb(root: int) -> float:
    """The most memory (VmHWM) that a web process of ours ever had, in MB; git's own processes are not counted."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(words[1])
    family, most = {root}, 0.0
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    for pid in family:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        if "Name:\tgit" not in status and "VmHWM:" in status:
            most = max(most, int(status.split("VmHWM:")[1].split()[0]) / 1000)
    return most


class Rival:
    """nginx and fcgiwrap in front of `git http-backend`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "rival").mkdir()
        (folder / "stock.gitconfig").write_text(STOCK)
        (folder / "safe.gitconfig").write_text(SAFE)
        exec_path = subprocess.run(["git", "--exec-path"], capture_output=True, check=True).stdout.decode().strip()
        user = subprocess.run(["id", "-un"], capture_output=True, check=True).stdout.decode().strip()
        config = NGINX.format(folder=folder, port=self.port, backend=f"{exec_path}/git-http-backend", user=user)
        (folder / "nginx.conf").write_text(config)
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "process_group": 0}
        self.children = [
            subprocess.Popen([_program("fcgiwrap"), "-c", "8", "-s", f"unix:{folder}/fcgi.sock"], **quiet),
            subprocess.Popen(
                [_program("nginx"), "-c", folder / "nginx.conf", "-p", folder, "-g", "daemon off;"], **quiet
            ),
        ]
        wait_for(f"http://127.0.0.1:{self.port}/safe/x")

    def url(self, kind: str, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{kind}/{name}.git"

    def stop(self) -> None:
        for child in self.children:
            os.killpg(child.pid, signal.SIGTERM)  # fcgiwrap leaves its own children
            child.wait(10)


def _program(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


def alternate(ways: dict[str, Callable[[int], float]], rounds: int) -> dict[str, float]:
    """The median seconds of each way; they take turns, and who begins changes."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        names = list(ways) if number % 2 else list(ways)[::-1]
        for name in names:
            seconds = ways[name](number)
            if number:  # the first round warms caches
                spent[name].append(seconds)
    for name, values in spent.items():
        say(f"    {name:<28} " + " ".join(f"{value:6.2f}" for value in values) + " s")
    return {name: statistics.median(values) for name, values in spent.items()}


def ratio(what: str, ours: float, theirs: float, rival: str) -> None:
    word = "within" if ours <= LIMIT * theirs else "OVER"
    say(f"{what}: {ours:.2f} s, {rival} {theirs:.2f} s, ratio {ours / theirs:.2f} ({word} the limit {LIMIT})")


def run(arguments: argparse.Namespace, folder: Path, url: str, web_pid: int) -> None:  # noqa: PLR0915 one after another
    """Measure and print."""
    from commons.people.services import create_token, create_user
    from designs import git
    from designs.services import create_design

    source = folder / "source.git"
    if arguments.repository:
        client_git("clone", "--quiet", "--bare", arguments.repository, source)
    else:
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", source], check=True)
        with subprocess.Popen(["git", f"--git-dir={source}", "fast-import", "--quiet"], stdin=subprocess.PIPE) as made:
            assert made.stdin is not None
            history(made.stdin, arguments.mb)
    subprocess.run(["git", f"--git-dir={source}", "repack", "-adq"], check=True)
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 1e6
    branch = subprocess.run(["git", f"--git-dir={source}", "symbolic-ref", "--short", "HEAD"], capture_output=True,
                            check=True).stdout.decode().strip()  # fmt: skip
    say(f"repository of {size:.0f} MB, {arguments.rounds} rounds after one to warm up; web process at rest "
          f"{memory_mb(web_pid):.0f} MB")  # fmt: skip

    person = create_user(username="bench")
    secret = create_token(user=person, name="bench", scopes=["designs:write"])[1]
    pushed = url.replace("://", f"://x:{secret}@")

    def empty(number: int | str) -> str:
        create_design(owner=person.handle, name=f"d{number}", licence="MIT", by=person, branch=branch)
        return f"{pushed}/designs/bench/d{number}.git"

    def to_ours(number: int | str) -> float:
        target = empty(number)
        return client_git(f"--git-dir={source}", "push", "--quiet", target, f"{branch}:{branch}")

    to_ours("clone")
    served = git.of(person.handle.designs.get(slug="dclone").repository)
    rival = Rival(folder) if _program("nginx") and _program("fcgiwrap") else None
    if rival is None:
        say("nginx or fcgiwrap is not here, so there is no rival to compare with; only our own figures follow")
    else:
        shutil.copytree(served.path, folder / "rival/clone.git")

    def clone(address: str) -> Callable[[int], float]:
        def once(_number: int) -> float:
            target = folder / "clone"
            seconds = client_git("clone", "--quiet", "--bare", address, target)
            shutil.rmtree(target)
            return seconds

        return once

    def to_rival(kind: str) -> Callable[[int], float]:
        def once(number: int) -> float:
            name = f"push-{kind}-{number}"
            assert rival is not None
            path = folder / f"rival/{name}.git"
            subprocess.run(["git", "init", "-q", "--bare", "-b", branch, path], check=True)
            seconds = client_git(f"--git-dir={source}", "push", "--quiet", rival.url(kind, name), f"{branch}:{branch}")
            shutil.rmtree(path)
            return seconds

        return once

    try:
        ours = f"{url}/designs/bench/dclone.git"
        if arguments.only != "push":
            say("clone")
            ways = {"Living City": clone(ours)}
            if rival:
                ways["git http-backend, nginx"] = clone(rival.url("safe", "clone"))
            found = alternate(ways, arguments.rounds)
            if rival:
                ratio("clone", found["Living City"], found["git http-backend, nginx"], "git http-backend")
        if arguments.only != "clone":
            say("push")
            ways = {"Living City": to_ours}
            if rival:
                ways |= {"http-backend, same safety": to_rival("safe"), "http-backend, stock": to_rival("stock")}
            found = alternate(ways, arguments.rounds)
            if rival:
                ratio("push", found["Living City"], found["http-backend, same safety"], "git http-backend")
                say(f"push: {found['Living City'] / found['http-backend, stock']:.2f} of stock git http-backend, "
                      "which checks no object and forces nothing to the disk")  # fmt: skip
        parallel(folder, {"Living City": ours, **({"git http-backend": rival.url("safe", "clone")} if rival else {})})
    finally:
        if rival:
            rival.stop()
    most = memory_mb(web_pid)
    word = "within" if most < MEMORY_LIMIT_MB else "OVER"
    say(f"memory: the web process had {most:.0f} MB at most ({word} the limit {MEMORY_LIMIT_MB})")


def parallel(folder: Path, addresses: dict[str, str]) -> None:
    """Eight clones at once, all of which must be whole."""
    for name, address in addresses.items():
        targets = [folder / f"many-{number}" for number in range(PARALLEL)]
        begin = time.perf_counter()
        with ThreadPoolExecutor(PARALLEL) as threads:
            list(threads.map(lambda target: client_git("clone", "--quiet", "--bare", address, target), targets))  # noqa: B023
        seconds = time.perf_counter() - begin
        for target in targets:
            client_git(f"--git-dir={target}", "fsck", "--connectivity-only")
            shutil.rmtree(target)
        say(f"{PARALLEL} clones at once, {name}: all whole after {seconds:.2f} s")


def main() -> None:
    """A city of its own, and its rival."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mb", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--only", choices=("clone", "push"), default="")
    arguments = parser.parse_args()
    from livingcity.dev.processes import child_environment, spawn, stop
    from livingcity.dev.services import Postgres, Valkey
    from livingcity.dev.web import web_argv

    folder = Path(tempfile.mkdtemp(prefix="lc-bench-git-"))
    folder.chmod(0o711)
    postgres = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    valkey = Valkey(folder / "valkey", folder / "s", folder / "valkey.log")
    postgres.start()
    valkey.start()
    web = None
    try:
        postgres.ensure_database()
        port = free_port()
        url = f"http://localhost:{port}"
        os.environ |= {
            "DATABASE_URL": f"postgresql://postgres@/livingcity?host={postgres.sockets}",
            "REDIS_URL": f"unix://{valkey.socket}?db=0", "LIVINGCITY_DATA": str(folder / "data"),
            "LIVINGCITY_DEMO": "0", "LIVINGCITY_ROOMS": "designs", "PORT": str(port), "PUBLIC_URL": url,
            "SECRET_KEY": "only for this bench " * 4, "OWNER_QUOTA_MB": "100000",
            "DJANGO_SETTINGS_MODULE": "livingcity.settings",
        }  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        web = spawn(web_argv(port=port), log=folder / "web.log", env=child_environment(**os.environ))
        wait_for(f"{url}/api/v1/schema/")
        run(arguments, folder, url, web.pid)
    finally:
        if web is not None:
            stop(web, signal.SIGTERM, 5.0)
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
