# make demo   set up, annotate the example genome end to end and print its scores, then train a model in brief
# make test   set up, then style, workflow lint and all tests
# make env    set-up alone: .venv from requirements.lock, and the system tools
# make lint   style and workflow lint alone
# make clean  remove what the workflow made (keeps .venv)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test env lint lock clean

CORES ?= 2
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.requirements.lock
# The training example of the demo runs in a folder of its own.
TRAINED := results/demo_training
# Programs of the environment first, so that scripts started by Snakemake find them too.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONUNBUFFERED := 1

help:
	@sed -n 's/^# make /make /p' Makefile

$(STAMP): requirements.lock tools/make_environment.sh
	bash tools/make_environment.sh "$(PYTHON)" "$(VENV)"
	cp requirements.lock $@

env: $(STAMP)
	@bash tools/install_programs.sh

demo: env
	snakemake --cores $(CORES) all
	@mkdir -p $(TRAINED)
	snakemake --cores $(CORES) train --directory $(TRAINED) --configfile config/demo_training.yaml
	@echo
	@PYTHONPATH=workflow/scripts python -m phytoscribe.reporting.score_tables results/evaluation/athaliana.genes.tsv
	@echo "Predicted genes: $(CURDIR)/results/predictions/athaliana.gff3"
	@echo "Report:          $(CURDIR)/results/report/report.html"
	@echo "Trained model:   $(CURDIR)/$(TRAINED)/results/models/structure (an example; the genes are the released model's)"

lint: env
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

# Tests of the SLURM profile start a SLURM of their own, where its packages are or can be had: one, so they come alone.
test: lint
	@bash tools/install_programs.sh slurm
	@bash tools/install_programs.sh next
	pytest -v --ignore tests/slurm --numprocesses $(CORES) --dist loadfile
	pytest -v tests/slurm

# After editing requirements.in: a fresh environment, its packages written down without their build suffixes.
lock:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r requirements.in
	{ head -n 1 requirements.lock; $(VENV)/bin/pip freeze | sed 's/^\(torch==[0-9.]*\)+.*/\1/'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf results logs resources/genomes .snakemake
	find workflow tests -name __pycache__ -type d -prune -exec rm -rf {} +
