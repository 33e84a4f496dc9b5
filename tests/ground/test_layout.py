"""The house stands as the map says: `platform` is Python's own, the web process stays light, docs are whole."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands

ROOT = Path(__file__).resolve().parents[2]
PYTHONPATH = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
SAYS = "import platform; print(platform.__file__, platform.system())"
PACKAGES = ("platform", "designs", "energy", "labs", "twin")


def python(*words: str, cwd: Path = ROOT, **more: str) -> str:
    """What another Python prints."""
    environ = {**os.environ, **more}
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_platform_is_a_plain_folder() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert not list((ROOT / "platform").glob("*.py"))


@pytest.mark.parametrize("cwd", [ROOT, ROOT / "platform"])
@pytest.mark.parametrize("flags", [(), ("-I",)])
def test_platform_is_pythons_own(cwd: Path, flags: tuple[str, ...]) -> None:
    said = python(*flags, "-c", SAYS, cwd=cwd, PYTHONPATH=PYTHONPATH)
    assert Path(said.split()[0]).name == "platform.py"
    assert said.split()[1] == "Linux"


def test_platform_is_pythons_own_in_a_command_and_in_celery(city_environment: dict[str, str]) -> None:
    assert "platform.py" in python("manage.py", "shell", "-v", "0", "-c", SAYS, **city_environment)
    assert "platform.py" in python("-c", f"import livingcity.celery; {SAYS}", PYTHONPATH=PYTHONPATH)


def test_the_web_process_has_loaded_no_engine() -> None:
    heavy = ["trimesh", "numba", "scipy", "pandapower", "sklearn", "osmium", "shapely", "pyproj", "pandas", "asyncua"]
    heavy += ["cascadio", "embreex", "manifold3d", "ezdxf", "gerbonara", "highspy", "DracoPy", "numpy", "PIL"]
    # What others load only because it lies there: most of what a web process could weigh in vain.
    heavy += ["requests", "chardet", "pygments", "opentelemetry", "pydantic", "pydantic_core", "openbadgeslib", "pyld"]
    code = (
        "import sys, livingcity.asgi; from drf_spectacular.generators import SchemaGenerator; "
        f"SchemaGenerator().get_schema(public=True); print([m for m in {heavy} if sys.modules.get(m)])"
    )
    assert python("-c", code, PYTHONPATH=PYTHONPATH).strip() == "[]"


def test_locks_hold_hashes_and_no_addresses() -> None:
    locks = [*ROOT.glob("requirements*.lock"), ROOT / "platform" / "frontend" / "package-lock.json"]
    assert len(locks) >= 8
    for lock in locks:
        text = lock.read_text()
        lines = [line for line in text.splitlines() if '"funding"' not in line and '"url"' not in line]
        assert not [line for line in lines if "://" in line and "github.com/sponsors" not in line], lock.name
        assert "sha256:" in text or '"integrity"' in text, lock.name


def test_every_model_has_its_migration(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def sources() -> list[Path]:
    """Our Python files without the tests."""
    found = [
        path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts
    ]
    return [ROOT / "manage.py", *found]


def variables_read(tree: ast.AST) -> set[str]:
    """Names that a file reads from the environment: `os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        name: Any = None
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and ast.unparse(node.value) == "os.environ"
        ):
            name = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.environ.get", "os.getenv"}:
            name = node.args[0]
        if isinstance(name, ast.Constant):
            found.add(str(name.value))
    return found


#: Read from a process that we start ourselves, so nobody else sets them.
BETWEEN_OURSELVES = {
    "PYTEST_XDIST_WORKER",
    "LIVINGCITY_TEST_SERVERS",
    "PYTHONPYCACHEPREFIX",
    "DJANGO_SETTINGS_MODULE",
}


def test_every_setting_is_documented() -> None:
    table = (ROOT / "docs" / "settings.md").read_text()
    told = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    read = {name for path in sources() for name in variables_read(ast.parse(path.read_text()))}
    assert read - told - BETWEEN_OURSELVES == set(), "not in docs/settings.md"
    assert {"PORT", "DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= read
    assert told - read == {"LIVINGCITY_SHARED", "CHROMIUM"}, "in docs/settings.md, but nothing reads it"


def our_commands() -> set[str]:
    """Commands of our own apps."""
    ours = ("livingcity", "commons", *PACKAGES[1:])
    return {name for name, app in get_commands().items() if str(app).split(".")[0] in ours}


def test_every_command_is_documented() -> None:
    told = set(re.findall(r"`([a-z_]+)", (ROOT / "docs" / "commands.md").read_text()))
    assert our_commands() - told == set(), "not in docs/commands.md"
    assert {"up", "demo"} <= our_commands()


def test_every_part_of_the_map_exists() -> None:
    named = re.findall(r"^\| `([^`*]+)`", (ROOT / "docs" / "map.md").read_text(), re.MULTILINE)
    paths = [name for name in named if "/" in name and name != "engine/"]
    assert len(paths) > 8
    assert [name for name in paths if not (ROOT / name).exists()] == []
