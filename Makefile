# All paths are relative, so that a folder with spaces in its name will do.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test thorough check lint types bench docs golden clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

# make prints the commands, as they would be typed with $(BIN) on the PATH.
demo: export PATH := $(CURDIR)/$(BIN):$(PATH)
demo: $(VENV)/runtime.stamp ## choose K, fit and predict on sample_data/penguins.csv
	gmmcli select-k sample_data/penguins.csv -C 3-6 --missing drop -k 1-6 --criterion icl
	gmmcli fit sample_data/penguins.csv -C 3-6 --missing drop -k 3 -c tied -m penguins-model.json
	gmmcli predict penguins-model.json sample_data/penguins.csv --missing drop -o penguins-clusters.csv
	tail -n +2 penguins-clusters.csv | cut -d, -f1,9 | sort | uniq -c

# What is quick is enough while one works; what is usual before a change is merged: tests/effort.py.
EFFORT := quick
# Else each of the many processes that the tests start would compile the package anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/dev.stamp ## run the tests, of those that take long some cases or none
	GMMCLI_TEST_EFFORT=$(EFFORT) $(BIN)/python -m pytest -n auto --dist worksteal

check: lint types ## all that must hold: lint, format, types, all tests, documentation in step
	@$(MAKE) --no-print-directory test EFFORT=usual

thorough: ## run the tests with all seeds and every combination: takes long
	@$(MAKE) --no-print-directory test EFFORT=thorough

lint: $(VENV)/dev.stamp ## look for faults of style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp ## check the types of the package
	$(BIN)/mypy

bench: $(VENV)/dev.stamp ## measure beside scikit-learn, and mclust if R is there; OUT=folder keeps the figures as JSON
	for part in iteration likelihood grid process mclust; do \
	  $(BIN)/python tests/benchmarks/$$part.py $(if $(OUT),$(OUT)/$$part.json) || exit 1; done

docs: $(VENV)/dev.stamp ## bring the outputs, the pictures and the reference in README.md up to date
	$(BIN)/python tests/transcripts.py README.md
	$(BIN)/python tests/gallery.py

golden: $(VENV)/dev.stamp ## accept the present outputs as those to compare with
	$(BIN)/python tests/transcripts.py tests/golden/*.md

clean: ## remove the environment and all that tools leave behind
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	rm -f penguins-model.json penguins-clusters.csv
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/runtime.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"gmmcli needs Python 3.11 or newer: name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[plot]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
