"""What `manage.py` does before Django: it finds the command its database, and a worker where it needs one.

A command joins the running services of its LIVINGCITY_DATA, or starts them for its own duration. Two attributes of a
command class say what it needs:

`needs_services` (default True)   False: it touches neither database nor Valkey, so nothing is started.
`needs_worker` (default False)    True: it waits for a run, so a temporary Celery worker stands by while it lasts if no
                                  worker answers (`--inline` on the command line needs none). A tuple of options, such
                                  as ("--wait",): only when one of them is given.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, ManagementUtility, call_command, get_commands, load_command_class
from django.db import DatabaseError
from redis import RedisError

from livingcity.dev import keeper
from livingcity.dev.places import RESTORING, data_dir
from livingcity.dev.processes import child_environment, spawn, stop
from livingcity.dev.services import ServiceError

WITHOUT_SERVICES = frozenset(
    {
        "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
        "makemigrations", "messages", "spectacular", "startapp", "startproject", "test", "testserver", "version",
    }
)  # fmt: skip
QUICK_QUEUES = "default,ingest"
HEAVY_QUEUES = "previews,simulations"
HEAVY_NICE = 10
QUEUES = f"{QUICK_QUEUES},{HEAVY_QUEUES}"


def execute(argv: Sequence[str]) -> int:
    """Run the command and answer its exit status."""
    words = list(argv)
    try:
        with services_for(words):
            ManagementUtility(words).execute()
    except ServiceError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    except (DatabaseError, RedisError) as fault:
        from commons.web.faults import explain  # noqa: PLC0415 settings must be loaded

        refusal = explain(fault)
        if refusal is None:
            raise
        sys.stderr.write(f"{refusal.sentence} ({' '.join(str(fault).split())})\n")
        return 1
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


@contextlib.contextmanager
def services_for(words: list[str]) -> Iterator[None]:
    """What the command needs, for as long as it runs."""
    command = _command(words)
    if command is None or not getattr(command, "needs_services", words[1] not in WITHOUT_SERVICES):
        _quiet_without_database()
        yield
        return
    if words[1] != "restore":
        refuse_half_restored()
    with keeper.Stay() as stay:
        prepare_database(words[1])
        with worker_available(alone=stay.was_first) if _needs_worker(command, words) else contextlib.nullcontext():
            yield


def _command(words: list[str]) -> BaseCommand | None:
    """The command, or None for help, nonsense and what Django answers itself."""
    if len(words) < 2 or words[1].startswith("-") or {"--help", "-h", "--version"} & set(words[1:]):
        return None
    django.setup()
    application = get_commands().get(words[1])
    if application is None or isinstance(application, BaseCommand):
        return application
    return load_command_class(application, words[1])


def _needs_worker(command: BaseCommand, words: Sequence[str]) -> bool:
    needs = getattr(command, "needs_worker", False)
    if isinstance(needs, tuple):
        return bool(set(needs) & set(words))
    return bool(needs) and "--inline" not in words


def _quiet_without_database() -> None:
    """`makemigrations` warns when it cannot ask the database for its history; it need not."""
    import warnings  # noqa: PLC0415 one line of this module

    warnings.filterwarnings("ignore", message="Got an error checking a consistent migration history")


def refuse_half_restored() -> None:
    """A city that a restore was killed in is no city yet. Raises ServiceError."""
    if (data_dir() / RESTORING).exists():
        raise ServiceError(
            f"A backup is being restored into {data_dir()}, or was when the machine stopped: "
            "run the same `manage.py restore` once more."
        )


def prepare_database(name: str = "") -> None:
    """Lay out the tables of a database that has none yet; one process does it, the others wait."""
    from django.db import connection  # noqa: PLC0415 settings must be loaded

    ours = "postgres" in keeper.wanted() and name not in {"migrate", "restore"}
    if not ours or "django_migrations" in connection.introspection.table_names():
        connection.close()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(20251122)")
        try:
            if "django_migrations" not in connection.introspection.table_names():
                sys.stderr.write("Laying out the tables of a new city …\n")
                call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(20251122)")
    connection.close()


@contextlib.contextmanager
def worker_available(*, alone: bool = False) -> Iterator[None]:
    """A worker takes work while the block runs: one that is there, or a temporary one.

    `alone` says that nobody else uses the services, so that there is no worker to ask for.
    """
    if not alone and worker_answers():
        yield
        return
    log = keeper.log_path("worker")
    child = spawn(worker_argv(), death_signal=signal.SIGKILL, log=log, env=child_environment(), nice=HEAVY_NICE)
    try:
        yield
    finally:
        stop(child, signal.SIGTERM, 15.0)


def worker_argv(
    *, name: str = "worker", processes: int = 2, queues: str = QUEUES, include: Sequence[str] = ()
) -> list[str]:
    """The command line of a Celery worker of this city."""
    argv = [sys.executable, "-m", "celery", "-A", "livingcity", "--quiet", "worker", "-n", f"{name}@%h", "-Q", queues]
    argv += ["-c", str(processes), "-l", "WARNING", "--without-gossip", "--without-mingle"]
    return [*argv, "-I", ",".join(include)] if include else argv


def worker_answers() -> bool:
    """Whether the workers of this broker answer within a second, and take every queue between them."""
    from livingcity.celery import app  # noqa: PLC0415 settings must be loaded

    try:
        answers = app.control.broadcast("active_queues", reply=True, timeout=1.0) or []
    except Exception:
        return False
    return set(QUEUES.split(",")) <= {queue["name"] for answer in answers for said in answer.values() for queue in said}
