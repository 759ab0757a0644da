# dealermart: `make help` lists what there is. Needs make and Python 3.11 to 3.13; everything else comes from the lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORTABLE := .cache/portable/venv
SUPERSET := .cache/dashboards/venv
FAITHFUL := .cache/crm/venv
DATA ?=
PROFILE ?= sample
SIZE ?= S
WORKERS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo up docs dashboards test-dashboards remote test check test-duckdb2 test-office test-portable test-crm-faithful crm-sim demo-crm soak bench-ingest bench-build bench-incentive bench-publish lint format feeds lock clean distclean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime ## run the main job on a sample company; DATA=dir PROFILE=source for files of your own
	$(BIN)/python scripts/demo.py --profile "$(PROFILE)" --size "$(SIZE)" $(if $(DATA),--data "$(DATA)")

up: $(VENV)/.runtime ## start Airflow with its web page
	$(BIN)/python scripts/up.py

docs: $(VENV)/.runtime ## the documentation site, to open from disk: tables, columns, KPIs, plans, lineage
	$(BIN)/python scripts/make_docs.py

dashboards: $(VENV)/.runtime $(SUPERSET)/.ready ## Superset with the dashboards, on this machine; needs what was published to PostgreSQL
	PYTHONPATH=scripts $(BIN)/python -m boards up --python $(SUPERSET)/bin/python

test-dashboards: $(VENV)/.runtime $(SUPERSET)/.ready ## open each dashboard in Chromium and compare its numbers with the marts'
	PYTHONPATH=scripts $(BIN)/python -m boards test --python $(SUPERSET)/bin/python

remote: $(VENV)/.runtime ## what S3 and SFTP need, into the environment
	@$(PYTHON) scripts/make_env.py --venv $(VENV) --lock requirements-remote.lock

test: $(VENV)/.dev ## all tests but the soak, WORKERS=2 files of them at a time
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-duckdb2: $(VENV)/.dev ## the expectation engine on DuckDB 2.0 as well
	$(BIN)/python -m pip install --quiet --upgrade --target .cache/duckdb2 duckdb==2.0.0
	PYTHONPATH=.cache/duckdb2 $(BIN)/python -c "import duckdb; assert duckdb.__version__ == '2.0.0'"
	PYTHONPATH=.cache/duckdb2 $(BIN)/python -m pytest tests/checks

# From Debian's packages, as root; who has them already needs no root.
OFFICE := chromium libreoffice-calc poppler-utils fonts-noto-cjk default-jdk-headless libpostgresql-jdbc-java odbc-postgresql unixodbc
test-office: $(VENV)/.dev ## review packs in Chromium and on paper, the workbook in LibreOffice, PostgreSQL by JDBC and ODBC
	@dpkg-query --show $(OFFICE) >/dev/null 2>&1 || \
	{ apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends $(OFFICE); } || \
	{ echo "$(OFFICE) are not all here"; echo "  mend: have them installed: apt-get install $(OFFICE)"; exit 2; }
	$(BIN)/python -m pytest -m office tests/review tests/publish

test-portable: $(VENV)/.runtime $(PORTABLE)/.ready ## the sample company on a second engine (Sail), compared row by row
	PYTHONPATH=scripts $(BIN)/python -m portable --size "$(SIZE)" --python $(PORTABLE)/bin/python

test-crm-faithful: $(FAITHFUL)/.ready ## the CRM simulators against clients of others: Zoho's own SDK, and fxiaoke-python
	$(FAITHFUL)/bin/python -W ignore -m tests.crm_faithful

crm-sim: $(VENV)/.runtime ## Zoho CRM and Fxiaoke as simulators on this machine, with the CRM of the sample company
	$(BIN)/python -m tests.crm_sim --size "$(SIZE)"

demo-crm: $(VENV)/.runtime ## pull the sample company's CRM from both simulators by the DAGs: the pipeline's KPIs beside those from files; ALL_IN=zoho gives one vendor all
	$(BIN)/python -m tests.crm_sim.demo --size "$(SIZE)" $(if $(ALL_IN),--all-in "$(ALL_IN)")

# Side by side: mypy has one thread, and so has a pytest without workers. All rules of all suites are judged in `make test`.
check: $(VENV)/.dev ## lint and the quick tests, in under three minutes: what to run every hour
	@mkdir -p .cache; $(BIN)/python scripts/lint.py >.cache/lint.log 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -q -m "not integration and not slow and not soak"; tests=$$?; \
	wait $$lint || tests=1; cat .cache/lint.log; exit $$tests

soak: $(VENV)/.dev ## the fault tests, thirty times each, and long fuzzing of the readers
	$(BIN)/python -m pytest -m soak

bench-ingest: $(VENV)/.dev ## ten million lines beside plain DuckDB and pandas, into a lake of fifty million
	$(BIN)/python scripts/bench_ingest.py

bench-build: $(VENV)/.dev ## a full build and one more day, beside hand-written SQL; SIZE=10M for daily use, 50M to publish
	PYTHONPATH=scripts $(BIN)/python scripts/bench_build.py --size "$(if $(filter S M L,$(SIZE)),10M,$(SIZE))"

bench-incentive: $(VENV)/.dev ## statements from twenty million credited lines beside hand-written SQL, and a thousand plan tests
	$(BIN)/python scripts/bench_incentive.py

bench-publish: $(VENV)/.dev ## ten million rows to PostgreSQL beside plain COPY, and how long a reader waits
	$(BIN)/python scripts/bench_publish.py

lint: $(VENV)/.dev ## ruff, mypy, yamllint, sqlfluff, dbt parse, the project's own rules
	$(BIN)/python scripts/lint.py

format: $(VENV)/.dev ## let ruff and sqlfluff write the code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/sqlfluff fix --quiet dbt_project

feeds: $(VENV)/.dev ## write what follows from the contracts: staging models, the lake's sources, docs/feeds.md; docs/sources.md from the models, docs/kpis.md and the wide tables from the registry
	$(BIN)/python scripts/make_feeds.py
	$(BIN)/python scripts/make_sources.py
	$(BIN)/python scripts/make_kpis.py

lock: ## resolve the dependencies anew, keeping what still fits; UPGRADE=1 takes the newest
	$(PYTHON) scripts/make_lock.py $(if $(UPGRADE),--upgrade)

clean: ## remove caches
	rm -rf .cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove the environment too (state under var/ stays)
	rm -rf $(VENV)

# The development lock holds the runtime lock, so it satisfies both.
$(VENV)/.runtime: requirements.lock pyproject.toml | python
	@$(PYTHON) scripts/make_env.py --venv $(VENV) --lock requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | python
	@$(PYTHON) scripts/make_env.py --venv $(VENV) --lock requirements-dev.lock
	@touch $(VENV)/.runtime $@

$(PORTABLE)/.ready: requirements-portable.lock | python
	@$(PYTHON) scripts/make_env.py --venv $(PORTABLE) --lock requirements-portable.lock --bare
	@touch $@

$(SUPERSET)/.ready: requirements-dashboards.lock | python
	@$(PYTHON) scripts/make_env.py --venv $(SUPERSET) --lock requirements-dashboards.lock --bare
	@touch $@

$(FAITHFUL)/.ready: tests/crm_faithful/requirements.lock | python
	@$(PYTHON) scripts/make_env.py --venv $(FAITHFUL) --lock tests/crm_faithful/requirements.lock --bare
	@touch $@

.PHONY: python
python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "there is no $(PYTHON) here"; \
		echo "  mend: install Python 3.11, 3.12 or 3.13, or name one: make demo PYTHON=python3.12"; exit 2; }
