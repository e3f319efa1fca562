# FedRAS-Ray. `make` or `make help` says what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# Data sets kept beside the checkout are used when they are there; see docs/data.md.
FEDRAS_DATA ?= $(wildcard ../shared/datasets)
ifneq ($(FEDRAS_DATA),)
export FEDRAS_DATA
endif
export RAY_USAGE_STATS_ENABLED := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

JOBS ?= 2  # runs at the same time
WORKERS ?= 2  # processes that run tests; 0: only this one, as a debugger wants it

.DEFAULT_GOAL := help
.PHONY: help run study-payload study-heterogeneity test lint types layers format unit golden grafana picture fuzz fuzz-inputs chaos test-cluster test-tracking audit bench bench-peers site ui constraints clean

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

run: $(VENV)/.ready  ## Train FedRAS on MovieLens-100K; ARGS="ml-100k-dense --set seed=2" for something else
	$(BIN)/fedras run $(ARGS)

study-payload: $(VENV)/.ready  ## Quality and bytes of every codec on MovieLens-100K, three seeds (an hour); goes on where it stopped
	$(BIN)/fedras compare payload-ml-100k --out runs/payload-ml-100k $(ARGS)

study-heterogeneity: $(VENV)/.ready  ## Time on the devices until it is good, two fleets, MovieLens-100K and 1M (hours); goes on where it stopped
	for data in ml-100k ml-1m; do for fleet in fedscale harsh-mobile; do \
	  $(BIN)/fedras compare heterogeneity-$$data --set fleet.kind=$$fleet \
	    --out runs/heterogeneity-$$data-$$fleet --serial --jobs $(JOBS) $(ARGS) || exit; done; done

test: lint types layers unit  ## Everything that must hold: ruff, mypy, import-linter, pytest

lint: $(VENV)/.test-ready  ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test-ready  ## Types, strictly
	$(BIN)/mypy

layers: $(VENV)/.test-ready  ## Who may import whom
	$(BIN)/lint-imports

unit: $(VENV)/.test-ready  ## pytest; ARGS="-k codec" for some of it
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

format: $(VENV)/.test-ready  ## Rewrite the layout of the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.test-ready  ## Write the golden files anew (look at the difference before you commit it)
	$(BIN)/python -m tests.codecs.write_golden
	$(BIN)/python -m tests.simulation.write_traces

grafana: $(VENV)/.test-ready  ## Write the dashboard for Grafana anew, from its panels
	$(BIN)/python -m dashboards.live.grafana dashboards/grafana.json

picture: $(VENV)/.ready  ## The README's picture of a report: two runs on MovieLens-100K, seen by Chromium
	rm -rf runs/picture
	for one in dense lattice; do \
	  $(BIN)/fedras run ml-100k-$$one --serial --no-mlflow --out runs/picture/$$one || exit; done
	$(BIN)/fedras report runs/picture/dense runs/picture/lattice --out runs/picture/report.html
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir=runs/picture/profile \
	  --window-size=1200,1120 --screenshot=docs/report.png file://$(CURDIR)/runs/picture/report.html

fuzz: $(VENV)/.test-ready  ## A million random blobs into every codec (minutes); ARGS="--blobs 100000" for fewer
	$(BIN)/python -m tests.codecs.fuzz $(ARGS)

fuzz-inputs: $(VENV)/.test-ready  ## Damaged files into every reader (10 minutes); ARGS="--minutes 30 experiment" for one, longer
	$(BIN)/python -m tests.inputs.fuzz $(ARGS)

test-cluster: $(VENV)/.test-ready  ## cluster.yaml on two hosts made of namespaces, over real ssh (minutes, root)
	tests/cluster/loopback/run.sh $(BIN)/python

test-tracking: $(VENV)/.test-ready  ## Four runs at once into one MLflow server, on SQLite and on PostgreSQL (minutes)
	$(BIN)/python -m tests.tracking.many

audit: $(VENV)/.test-ready  ## Known holes in what we depend on (pip-audit), risky code of ours (bandit)
	test -x $(VENV)-audit/bin/bandit || $(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install --quiet 'pip-audit>=2.9,<3' 'bandit>=1.8,<2'
	$(VENV)-audit/bin/bandit --quiet --recursive fedras_ray actors workloads dashboards
	$(VENV)-audit/bin/pip-audit --progress-spinner off --strict --disable-pip --no-deps --requirement constraints.txt $(ARGS)

chaos: $(VENV)/.test-ready  ## Kill runs at random moments, fifty times (an hour); ARGS="--scenarios 10 --first 50" for others
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/.test-ready  ## Speed of kernels, codecs and whole runs, and where the CPU goes, as tables
	$(BIN)/python benchmarks/encode.py
	$(BIN)/python benchmarks/entropy.py
	$(BIN)/python benchmarks/updates.py
	$(BIN)/python -m benchmarks.shares
	$(BIN)/python -m pytest benchmarks/micro -o python_files='bench_*.py' -p no:cacheprovider --benchmark-columns=min,median,rounds

bench-peers: $(VENV)/.test-ready  ## The same job on Flower, pfl, Ray, torch and here, as one table (an hour); ARGS="--only bare ours-2"
	$(BIN)/python -m benchmarks.peers $(ARGS)

site: $(VENV)/.test-ready  ## The pages of docs/ as a site in site/; open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

ui: $(VENV)/.ready  ## The MLflow UI over the runs made here
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow ui --workers 1 --backend-store-uri sqlite:///mlflow.db

constraints:  ## Resolve the dependencies anew into constraints.txt (a clean environment, minutes)
	rm -rf $(VENV)-fresh && $(PYTHON) -m venv $(VENV)-fresh
	$(VENV)-fresh/bin/pip install --quiet torch==2.13.0
	$(VENV)-fresh/bin/pip install --quiet '.[test]'
	$(VENV)-fresh/bin/pip freeze --exclude fedras-ray | sed 's/+cpu$$//' > constraints.txt
	rm -rf $(VENV)-fresh build

clean:  ## Remove the environment and what tools leave behind; runs stay
	rm -rf $(VENV) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# torch first and pinned: a loose torch takes gigabytes of CUDA packages along.
$(VENV)/.ready: setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test-ready: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@
