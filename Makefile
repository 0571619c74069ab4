# `make help` lists the targets. PORT=8123 make up chooses the port; docs/install.md says the rest.
.DEFAULT_GOAL := help
PYTHON := python3
VENV := .venv/bin
# What stands behind bench or soak names what to do, and is no target then.
NAMES := $(filter-out bench soak,$(if $(filter bench soak,$(firstword $(MAKECMDGOALS))),$(MAKECMDGOALS)))
COMPILE := $(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: help up worker test bench soak lint format messages permissions demo requirements agent-deb clean tools tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

ifneq ($(NAMES),)
.PHONY: $(NAMES)
$(NAMES):
	@:
else
up: ## set up and run the portal; Ctrl-C stops it (PORT=8123 make up)
	@$(PYTHON) -m adminset.launch up
endif

worker: ## run a worker for the queues of sites, here or on a machine there: make worker QUEUES=idc.bj (docs/tasks-sites.md)
	@QUEUES="$(QUEUES)" $(PYTHON) -m adminset.launch worker

test: tests ## set up, then lint, types, contracts and the whole suite
	@$(VENV)/python -m adminset.launch.suite

bench: tests ## measure; `make bench hosts` measures one thing (ingest, remote_write, hosts, pages, lists, fleet, fleet_intake, imports, agent, store, sign_in, ssh_lane, audit, permissions, schedules, playbook, run_page, terminal, host_files, delivery_delta, delivery_pages, delivery_send, delivery_switch, delivery_undo)
	@$(VENV)/python -m tests.bench $(NAMES)

soak: tests ## long proofs; `make soak up` (starts and stops), fleet, kill, outage (docs/monitoring.md), agent_day, faults (docs/faults.md), terminals
	@$(VENV)/python -m tests.soak $(NAMES)

lint: tools ## ruff, mypy, import contracts, templates, migrations, known holes
	@$(VENV)/python -m adminset.launch.lint

format: tools ## format Python and templates in place
	@$(VENV)/ruff check --quiet --fix-only .
	@$(VENV)/ruff format --quiet .
	@find . -path ./.venv -prune -o -path '*/templates/*' -name '*.html' -print0 | xargs -0 -r $(VENV)/djade --target-version 5.2
	@find . -path ./.venv -prune -o -path '*/templates/*' -name '*.html' -print0 | xargs -0 -r $(VENV)/djhtml

messages: tools ## bring locale/ up to date with the words in code and templates
	@$(VENV)/python -m adminset.launch.messages update
	@$(VENV)/python -m adminset.launch.messages compile

permissions: tests ## ask every url as six people and write docs/permissions.md
	@ADMINSET_WRITE_PERMISSIONS=1 $(VENV)/python -m pytest -q tests/test_matrix.py

demo: ## fill a running portal with a believable company
	@$(VENV)/python manage.py demo

requirements: tools ## compile the pinned requirement files anew, with hashes
	@$(COMPILE) --upgrade requirements.in -o requirements.txt
	@$(COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) --upgrade requirements-setup.in -o requirements-setup.txt
	@$(COMPILE) --upgrade requirements-node.in -o requirements-node.txt

agent-deb: ## build the agent's Debian package into var/ (the portal also gives it away)
	@$(PYTHON) -m monitor.agent_deb var

clean: ## remove what set-up and tools have made; data under var/ stays
	@rm -rf .venv node_modules static/vendor static/vendor.new var/cache var/static
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache locale/.stamp
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

tools:
	@$(PYTHON) -m adminset.launch tools

tests:
	@$(PYTHON) -m adminset.launch tests
