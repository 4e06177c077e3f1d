# Offtape. `make` lists the targets. Each sets up what it needs under .venvs/ and .local/, from Python 3.11+ and the package index.

PYTHON ?= python3
ENVIRONMENTS := $(PYTHON) -m local.environments
DEV := .venvs/dev/bin
SAM := SAM_CLI_TELEMETRY=0 .venvs/sam/bin/sam
# What is ours and is Python.
SOURCES := layers/call_recording functions local tests benchmarks
# Where sockets are off, and what covers the layer and the functions.
UNIT_TESTS := tests/unit tests/functions
# The whole service in simulated worlds.  Without coverage: it does not see into greenlets, and slows them down.
SIMULATION := tests/simulation
# Where loopback is allowed. They mostly wait for vendors that take their time, so several run at once, on a stack each.
WORKERS ?= 4
OTHER_TESTS := tests/infrastructure tests/simulators tests/integration

export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo serve test unit soak check format doctor bench layer build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Play a card-entry call at each vendor, on a local stack of its own
	@$(ENVIRONMENTS) emulator runtime
	@.venvs/emulator/bin/python -m local.demo

serve: ## Run the local stack at http://127.0.0.1:$PORT (8080) until Ctrl-C
	@$(ENVIRONMENTS) emulator runtime
	@exec .venvs/emulator/bin/python -m local.serve

test: ## Run every test; 100 % branch coverage of the layer and the functions
	@$(ENVIRONMENTS) dev emulator runtime sdk-signalwire sdk-signalwire-webhooks
	$(DEV)/pytest $(UNIT_TESTS) --cov --cov-report=term-missing:skip-covered
	$(DEV)/pytest $(SIMULATION) -n $(WORKERS)
	SIGNALWIRE_SDK_PYTHON=$(CURDIR)/.venvs/sdk-signalwire/bin/python \
	  $(DEV)/pytest $(OTHER_TESTS) --allow-hosts=127.0.0.1 -n $(WORKERS)

unit: ## Run the fast tests only
	@$(ENVIRONMENTS) dev sdk-signalwire-webhooks
	$(DEV)/pytest $(UNIT_TESTS) --cov --cov-report=term-missing:skip-covered

soak: ## Try other examples, then a million simulated schedules (half an hour; ARGS="--schedules 100000" for fewer)
	@$(ENVIRONMENTS) dev sdk-signalwire-webhooks
	SOAKING=1 $(DEV)/pytest $(UNIT_TESTS) -m hypothesis -n 2
	@PYTHONPATH=layers/call_recording $(DEV)/python -m tests.simulation --schedules 1000000 --workers 2 $(ARGS)

check: ## Lint and type-check everything
	@$(ENVIRONMENTS) dev sam checkov $$({ command -v node && command -v npm; } >/dev/null || echo node)
	$(DEV)/ruff format --check $(SOURCES)
	$(DEV)/ruff check $(SOURCES)
	$(DEV)/mypy
	$(DEV)/cfn-lint template.yaml
	$(DEV)/python -m local.check_workflows
	$(SAM) validate --lint --region eu-west-1
	.venvs/checkov/bin/checkov --config-file .checkov.yaml

format: ## Format the Python files
	@$(ENVIRONMENTS) dev
	$(DEV)/ruff format $(SOURCES)
	$(DEV)/ruff check --fix $(SOURCES)

doctor: ## Say why a request's signature does not hold (ARGS="event.json --secret acme.json"; docs/signature-doctor.md)
	@PYTHONPATH=layers/call_recording $(PYTHON) -m developer_tools.signature_doctor $(ARGS)

bench: ## Measure cold and warm times and the layer's size against their budgets
	@$(ENVIRONMENTS) emulator runtime
	@.venvs/emulator/bin/python -m benchmarks $(ARGS)

layer: ## Build the layer as it is deployed, into .local/build/deployed (needs CPython 3.13)
	@rm -rf .local/build/deployed
	@$(MAKE) --no-print-directory -C layers/call_recording build-CallRecordingLayer ARTIFACTS_DIR=$(CURDIR)/.local/build/deployed

build: ## Run `sam build` (needs CPython 3.13 on PATH)
	@$(ENVIRONMENTS) sam
	$(SAM) build

lock: ## Pin the newest versions that the .in files allow, with all that they need
	@$(ENVIRONMENTS) lock
	@$(PYTHON) -m local.lock

clean: ## Remove everything that the targets made
	rm -rf .venvs .local .aws-sam .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
