.DEFAULT_GOAL := help
SHELL := bash
STACK ?= local
WORKERS ?= 2

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.ready: requirements/dev.txt requirements/uv.txt pyproject.toml tools/setup
	@tools/setup

.PHONY: setup
setup: .venv/.ready ## Make the environment in .venv, with the command airflow-control-plane

.PHONY: try
try: .venv/.ready ## Run Airflow on this machine with the example jobs, or PACKAGES=path; PORT=8080
	@.venv/bin/python -m standalone start $(if $(PACKAGES),--packages "$(PACKAGES)") $(if $(PORT),--port "$(PORT)") $(if $(JOB),--job "$(JOB)")

.PHONY: stop
stop: .venv/.ready ## Stop what `make try` started
	@.venv/bin/python -m standalone stop

# `status` and `logs` tell of a stack where STACK is given, else of `make try`.
IN_STACK := $(if $(filter-out file undefined,$(origin STACK)),yes)

.PHONY: status
status: .venv/.ready ## Show what `make try` runs, or STACK=local|dev|prod, and whether it is healthy
	@.venv/bin/python -m $(if $(IN_STACK),stack status --stack "$(STACK)",standalone status)

.PHONY: logs
logs: .venv/.ready ## Show the logs of `make try`, or of STACK=; COMPONENT=scheduler for one, FOLLOW=1 to stay
	@.venv/bin/python -m $(if $(IN_STACK),stack logs --stack "$(STACK)",standalone logs) $(COMPONENT) $(if $(FOLLOW),--follow)

.PHONY: up
up: .venv/.ready ## Bring Airflow up on Kubernetes, STACK=local|dev|prod; CONTEXT=name, PORT=8080, JOB=package.job
	@.venv/bin/python -m stack up --stack "$(STACK)" $(if $(CONTEXT),--context "$(CONTEXT)") $(if $(PORT),--port "$(PORT)") $(if $(JOB),--job "$(JOB)")

.PHONY: preview
preview: .venv/.ready ## Say what `make up` would change
	@.venv/bin/python -m stack preview --stack "$(STACK)" $(if $(CONTEXT),--context "$(CONTEXT)")

.PHONY: update-image
update-image: .venv/.ready ## Build the image anew and roll it out to STACK=
	@.venv/bin/python -m stack update-image --stack "$(STACK)" $(if $(CONTEXT),--context "$(CONTEXT)")

.PHONY: down
down: .venv/.ready ## Remove all of STACK=, after a question; CONFIRM=yes without one
	@.venv/bin/python -m stack down --stack "$(STACK)" $(if $(filter yes,$(CONFIRM)),--yes)

.PHONY: test
test: .venv/.ready ## Pass the tests, WORKERS=2 files at a time; the levels that need `make tools` run where it ran
	@.venv/bin/pytest --ignore tests/cluster --numprocesses "$(WORKERS)" --dist loadfile

.PHONY: test-cluster
test-cluster: .venv/.ready ## Pass the tests on a real cluster; root on Linux, `make tools` first
	@REQUIRE_CLUSTER=1 .venv/bin/pytest tests/cluster

.PHONY: test-browser
test-browser: .venv/.ready ## Start every example job from Airflow's trigger form in Chromium, which `make browser` installs
	@REQUIRE_TOOLS=1 .venv/bin/pytest tests/browser

.PHONY: pictures
pictures: .venv/.ready ## Take the pictures in docs/images anew, in Chromium
	@REQUIRE_TOOLS=1 PICTURES="$(CURDIR)/docs/images" .venv/bin/pytest tests/browser/test_pictures.py

.PHONY: cluster-pictures
cluster-pictures: .venv/.ready ## Take the pictures of a stack on a cluster anew; root on Linux, `make tools` and `make browser` first
	@REQUIRE_CLUSTER=1 PICTURES="$(CURDIR)/docs/images" .venv/bin/pytest tests/cluster/local_stack/test_pictures.py

TORTURES := torture-faults torture-swap torture-mutations

.PHONY: torture $(TORTURES)
torture: ## Kill dagsync 1,000 times and feed it 100,000 mutated job files, or TORTURE=100 for a tenth of it
	@$(MAKE) --no-print-directory --jobs "$(WORKERS)" $(TORTURES)
	@$(MAKE) docs

$(TORTURES): torture-%: .venv/.ready
	@TORTURE="$${TORTURE:-1000}" RELIABILITY="$(CURDIR)/docs/reliability" .venv/bin/pytest -s \
		$(wildcard tests/dagsync/test_$*.py tests/dagsync/store/test_$*.py)

.PHONY: bench
bench: .venv/.ready ## Measure dagsync beside the alternatives; NAMES="start-up parse" for some, ARGS=--help for more
	@.venv/bin/python -m benchmarks $(NAMES) $(ARGS)

.PHONY: cluster
cluster: .venv/.ready ## Start Kubernetes to run pods in, or use CONTEXT=name; NAME= for a second one
	@.venv/bin/python -m cluster start $(if $(NAME),--name "$(NAME)") $(if $(CONTEXT),--context "$(CONTEXT)")

.PHONY: cluster-down
cluster-down: .venv/.ready ## Remove what `make cluster` started, with its volumes and images; NAME= for a second one
	@.venv/bin/python -m cluster stop $(if $(NAME),--name "$(NAME)")

.PHONY: tools
tools: ## Build the Pulumi CLI and Kubernetes from their Go modules, once per user
	@tools/build

.PHONY: image
image: .venv/.ready ## Build the images of the stack local, with your PACKAGES=path; NAMES="airflow moto" for some
	@.venv/bin/python -m images build $(NAMES) $(if $(PACKAGES),--packages "$(PACKAGES)")

.PHONY: image-archives
image-archives: .venv/.ready ## Write archives of what `make image` built, for kind, minikube or another machine
	@.venv/bin/python -m images export $(NAMES)

.PHONY: image-clean
image-clean: .venv/.ready ## Delete what `make image` keeps: base, layers, archives
	@.venv/bin/python -m images clean

.PHONY: browser
browser: ## Install Debian's Chromium for the browser tests, as root, unless there is one
	@tools/browser

.PHONY: render
render: .venv/.ready ## Print the manifests and resources of STACK=local|dev|prod as YAML
	@.venv/bin/python -m rendering "$(STACK)"

.PHONY: cost
cost: .venv/.ready ## Estimate what STACK=local|dev|prod costs on AWS in a month; ARGS=--help for more
	@.venv/bin/python -m costs "$(STACK)" $(ARGS)

.PHONY: lint
lint: .venv/.ready ## Check style and types, and that generated files are fresh
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/pyright
	@.venv/bin/python -m settings.reference --check
	@.venv/bin/python docs/dagsync_reference.py --check
	@.venv/bin/python docs/reliability.py --check
	@.venv/bin/python -m docs.tables --check

.PHONY: fmt
fmt: .venv/.ready ## Format the code and mend what can be mended
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

.PHONY: docs
docs: .venv/.ready ## Write what is generated: Pulumi.yaml, Pulumi.schema.json and the tables in docs/
	@.venv/bin/python -m settings.reference
	@.venv/bin/python docs/dagsync_reference.py
	@.venv/bin/python docs/reliability.py
	@.venv/bin/python -m docs.tables

LOCK := .tools/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: lock
lock: .venv/.ready ## Resolve requirements/*.txt anew from pyproject.toml
	$(LOCK) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/dagsync.txt
	$(LOCK) --group airflow-image -c requirements/dev.txt -o requirements/airflow-image.txt
	$(LOCK) --group moto-image -c requirements/dev.txt -o requirements/moto-image.txt
	echo uv | $(LOCK) - -c requirements/dev.txt -o requirements/uv.txt

.PHONY: clean
clean: stop ## Remove the environment, built tools and the state of `make try`
	rm -rf .venv .tools .airflow
