# The course's commands. `make` alone lists them.
PYTHON  ?= python3
BIN     := .venv/bin
MTLIB   := $(BIN)/python -m mtlib
# Python compiles what it imports, when it does: compiling all that is installed takes a minute and more.
PIP     := --quiet --no-compile --constraint constraints.txt
# It has to keep what it compiled: each of a hundred processes would take ten seconds to compile torch and others anew.
unexport PYTHONDONTWRITEBYTECODE
NB      ?= all
PROFILE ?= quick
ARGS    ?=
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# Pictures are not compared, so what is only compared does not draw them. Two processes of one thread each share two cores.
COMPARED := MTLIB_FIGURES=arrays OMP_NUM_THREADS=1
NBVAL   := $(BIN)/python -m pytest -p no:cacheprovider -n 2 --dist loadscope -c /dev/null --rootdir=.
# Kernels that a command starts are forks of a process that has imported torch and others; five seconds less for each.
WARM    := $(BIN)/python -m mtlib.runs.warm

.DEFAULT_GOAL := help
.PHONY: help setup run test test-lab lint verify notebooks lab teach clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready  ## make .venv and install what was tested (once)

# Made again only when the list of dependencies changes.
.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, {v.major}.{v.minor} found: make PYTHON=/path/to/python3.11 ...")'
	@echo "Setting up .venv: one to three minutes, once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install $(PIP) --editable '.[course,dev]'
	@touch $@

run: setup  ## execute the notebooks headless: make run [NB=01] [PROFILE=standard] [ARGS="-p seeds 4"]
	@$(MTLIB) run $(NB) --profile $(PROFILE) $(ARGS)

lint: setup  ## style of source and notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

test: lint  ## lint, unit and property tests, every notebook at smoke, re-run and compared strictly
	@$(BIN)/python -m pytest -p no:nbval -n 2 --dist loadscope
	@ls $(NOTEBOOKS) | xargs -n 1 basename | cut -d_ -f1 | $(COMPARED) $(WARM) xargs -n 4 -P 2 $(MTLIB) run --profile smoke --to runs/smoke
	@MTLIB_HEADLESS=1 $(COMPARED) $(WARM) $(NBVAL) --nbval-kernel-name python3 --nbval runs/smoke/*.smoke.ipynb

# Made again only when the list of dependencies changes.
.venv/.lab: .venv/.ready
	@$(BIN)/python -m pip install $(PIP) --editable '.[course,dev,lab]'
	@touch $@

test-lab: .venv/.lab  ## the notebooks in JupyterLab in a real browser; screenshots in runs/lab: make test-lab [NB=01]
	@CHROMIUM=$$($(BIN)/python tests/lab/chromium.py) && export CHROMIUM && \
	 exec $(BIN)/python -m pytest tests/lab -rP $(if $(filter-out all,$(NB)),-k $(NB)_)

verify: setup  ## re-execute the committed notebooks: nbval on what is stable, figures by their arrays
	@MTLIB_HEADLESS=1 $(COMPARED) $(NBVAL) --nbval-current-env --nbval-lax $(NOTEBOOKS)
	@ls $(NOTEBOOKS) | xargs -n 1 basename | cut -d_ -f1 | $(COMPARED) xargs -n 4 -P 2 $(MTLIB) verify

notebooks: setup  ## re-execute the committed notebooks at quick, in place
	@$(MTLIB) notebooks

lab: setup  ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=notebooks

teach: setup  ## write teach/student (no solutions) and teach/instructor
	@$(MTLIB) teach

clean:  ## remove what make made, but keep runs/, which may have taken hours
	rm -rf .venv teach build *.egg-info .pytest_cache .ruff_cache
