# Everyday work. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help run test test-slow lint format bench bench-scale bench-create bench-artwork bench-pipeline bench-backfill bench-fields bench-import bench-bugs bench-outage shell reset lock bench-admin
PYTHON_ENV := .venv/bin/python
COMPILE := .venv/bin/uv pip compile --quiet pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start everything on http://127.0.0.1:8000 (PORT=..., DEMO=0 for no demo data)
	@bin/bootstrap local
	@exec $(PYTHON_ENV) manage.py run_stack --stop-with-parent

test: ## Run the test suite (ARGS="-k name" chooses)
	@bin/bootstrap dev
	$(PYTHON_ENV) -m pytest --numprocesses auto --maxprocesses 4 $(ARGS)

test-slow: ## Run only the tests marked slow, with 128,000 registrations (ARGS as for test)
	@bin/bootstrap dev
	$(PYTHON_ENV) -m pytest -m slow --full --registrations 2000 --numprocesses auto --maxprocesses 4 $(ARGS)

lint: ## Check style, layers, migrations and settings
	@bin/bootstrap dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	$(PYTHON_ENV) manage.py makemigrations --check --dry-run
	$(PYTHON_ENV) manage.py check

format: ## Format the code
	@bin/bootstrap dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: ## Measure reads against raw SQL, a tuned baseline and plain REST framework
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.reads $(ARGS)

bench-scale: ## Measure how reads grow from 10,000 to 1,000,000 assets
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.scale $(ARGS)

bench-create: ## Measure registrations with a file against plain REST framework
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.create $(ARGS)

bench-artwork: ## Measure renditions against libvips and plain Pillow
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.artwork $(ARGS)

bench-pipeline: ## Measure album art end to end, with one worker and with two
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.pipeline $(ARGS)

bench-backfill: ## Measure a backfill with its ledger against one UPDATE
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.backfill $(ARGS)

bench-fields: ## Measure the effect of the new fields and their backfill on readers
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.fields $(ARGS)

bench-import: ## Measure the import of a legacy export against a plain COPY
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.imports $(ARGS)

bench-bugs: ## Measure intake, redaction and lists of bug reports
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.redaction
	$(PYTHON_ENV) -m benchmarks.bug_reports $(ARGS)

bench-admin: ## Measure each list of the admin: time, queries, size
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.admin_pages $(ARGS)

bench-outage: ## Measure what requests get while PostgreSQL and Valkey are frozen or killed
	@bin/bootstrap dev
	$(PYTHON_ENV) -m benchmarks.outage $(ARGS)

shell: ## Open a Python shell with the models
	@bin/bootstrap local
	@exec $(PYTHON_ENV) manage.py shell

reset: ## Stop the service and delete the local database, queue and media
	@if [ -x $(PYTHON_ENV) ]; then $(PYTHON_ENV) -m config.reset; else rm -rf var && echo "Deleted var."; fi

lock: ## Update the requirements files from pyproject.toml
	@bin/bootstrap dev
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra local --constraints requirements.txt --output-file requirements-local.txt
	$(COMPILE) --extra local --extra dev --constraints requirements-local.txt --output-file requirements-dev.txt
