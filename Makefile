# Two commands matter: `make demo` and `make test`. Each sets up whatever it needs, once.
# Pass options on with ARGS, for example: make demo ARGS="--json --scenario busy-intersection"

PY := .venv/bin/python
ARGS ?=

.PHONY: setup demo play test test-slow check lint types contract fast bench format clean

setup:
	@sh packaging/setup.sh

demo: setup
	@.venv/bin/scale-diffusion demo $(ARGS)

play: setup
	@.venv/bin/scale-diffusion play $(ARGS)

# Everything but the slow tests; the process-heavy flows run alone so that they have both cores.
test: setup lint types contract
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not slow and not flow" $(ARGS)
	@$(PY) -m pytest -q -m "flow and not slow" $(ARGS)

test-slow: setup
	@$(PY) -m pytest -q -m slow $(ARGS)

# Under a minute: what to run before every commit.
check: setup lint types contract fast

lint:
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types:
	@.venv/bin/mypy

contract:
	@.venv/bin/lint-imports

fast:
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not (slow or flow or heavy or network or render)" $(ARGS)

bench: setup
	@$(PY) -m tests.bench $(ARGS)

format: setup
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
