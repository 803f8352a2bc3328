# Targets for everyday work. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench shell reset lock
PYTHON_ENV := .venv/bin/python

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: ## Start everything on http://127.0.0.1:8000 (PORT=..., DEMO=0 for no demo data)
	@bin/prepare local
	@exec $(PYTHON_ENV) manage.py run_stack

test: ## Run the whole test suite (ARGS="-k name" to choose)
	@bin/prepare dev
	$(PYTHON_ENV) -m pytest $(ARGS)

lint: ## Check style, layers, migrations and settings
	@bin/prepare dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	$(PYTHON_ENV) manage.py makemigrations --check --dry-run
	$(PYTHON_ENV) manage.py check

format: ## Put the code into its form
	@bin/prepare dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: ## Measure list, detail and search against two yardsticks
	@bin/prepare dev
	$(PYTHON_ENV) -m benchmarks.reads $(ARGS)

shell: ## A Python prompt with the models
	@bin/prepare local
	$(PYTHON_ENV) manage.py shell

reset: ## Delete the local database, queue and media
	rm -rf var
	@echo "Local data is gone; the next start begins anew."

lock: ## Write the requirements files anew from pyproject.toml
	@bin/prepare dev
	.venv/bin/uv pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header -o requirements.txt
	.venv/bin/uv pip compile -q pyproject.toml --extra local -c requirements.txt --universal --generate-hashes --python-version 3.11 --no-header -o requirements-local.txt
	.venv/bin/uv pip compile -q pyproject.toml --extra local --extra dev -c requirements-local.txt --universal --generate-hashes --python-version 3.11 --no-header -o requirements-dev.txt
