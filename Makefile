# Nothing before these but Python 3.11+, make and git.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1735689600)
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help environment demo test fuzz kill check format words schema golden pictures judges peers lock docs reference bench dist clean

help:  ## these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

environment: $(VENV)/ready

demo: $(VENV)/ready  ## the real series: check, build, publish, a season's mail in simulated time
	@$(BIN)/python demo/season.py

test: $(VENV)/ready  ## everything, the fast tests first
	$(if $(TOCSIN_NO_SKIPS),PYTHONHASHSEED=0 )$(PYTEST)

fuzz: $(VENV)/ready  ## the tests with made-up and spoilt files, many times longer than in `make test`
	TOCSIN_FUZZ=5000 $(PYTEST) tests/properties/test_fuzz.py tests/properties/test_loader.py tests/properties/test_ledger_rows.py \
	  tests/properties/test_toml.py

kill: $(VENV)/ready  ## kill -9 while sending, hundreds of times, on both databases
	TOCSIN_KILLS=100 $(PYTEST) tests/journeys/test_kill.py -k again_and_again

check: $(VENV)/ready  ## ruff, mypy --strict, the floors, every test module can be read
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=.:bench:demo:docs/making:tests/contract $(BIN)/mypy --explicit-package-bases bench demo docs/making
	$(BIN)/lint-imports
	$(PYTEST) --collect-only -qq -n 0 >$(VENV)/collected || { cat $(VENV)/collected; exit 1; }

format: $(VENV)/ready  ## put the code into its form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

words: $(VENV)/ready  ## compile the interface words after editing a .po file
	$(BIN)/pybabel compile --domain tocsin --directory pipeline/locale --statistics

schema: $(VENV)/ready  ## write events.schema.json anew after changing the catalogue's models
	$(BIN)/tocsin schema > events.schema.json

golden: $(VENV)/ready  ## write the golden files anew, to be read as a diff
	$(PYTEST) tests/golden --update-golden -n 0

docs: $(VENV)/ready  ## the documentation as a site, site/
	$(BIN)/mkdocs build --strict --quiet

reference: $(VENV)/ready  ## write the reference and the man page anew after changing keys or options
	$(BIN)/python docs/making

bench: $(VENV)/ready  ## every measurement against its peer; fails where one got a third worse than recorded
	$(BIN)/python bench/run.py

pictures: $(VENV)/ready  ## take the pictures of docs/images anew; wants Chromium
	$(BIN)/python tests/pictures.py

judges: tests/npm/node_modules/.package-lock.json  ## fetch what judges pages, calendars and feeds in the tests; wants npm and Java

tests/npm/node_modules/.package-lock.json: tests/npm/package-lock.json
	npm ci --prefix tests/npm --ignore-scripts --no-audit --no-fund
	@touch $@

peers:  ## fetch what the measurements compare with; wants npm
	npm ci --prefix bench/npm --ignore-scripts --no-audit --no-fund

lock: $(VENV)/ready  ## pin every dependency anew, with hashes and without hosts
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --extra postgresql --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock

dist: $(VENV)/ready  ## wheel and sdist
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m hatchling build --clean

clean:  ## all that can be made again
	rm -rf $(VENV) out var letters dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tocsin needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
	@touch $@
