# `make demo` and `make test` are all a newcomer needs; each sets up what is missing first.

PYTHON ?= python3
PORT ?= 8787
STATE ?= .state
# The origin of a front end under development, whose pages may call the gallery of `make dev`.
PAGES ?= http://localhost:5173
# How many tests run at once. Each process of the second group has a local runtime of its own.
JOBS ?= 2
PYTEST = .venv/bin/pytest -n $(JOBS) --dist worksteal
UNIT = tests/unit benchmarks/tests
SYSTEM = tests/integration tests/e2e
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup demo dev test unit check lint types layers dry-run kernels-cached locks kernels kernels-check fonts fuzz fuzz-kernels fuzz-webp model examples soak audit bench bench-check deploy rollback wrangler-dev clean

help: ## what there is to call
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install everything the project needs, from the package registries
	@$(PYTHON) tools/setup.py

demo: setup ## run the main job once on a real picture and print what came of it
	@.venv/bin/python -m tools.demo

dev: setup ## the four Workers on PORT (8787), state in STATE (.state), until Ctrl-C; SAMPLES=12 fills an empty gallery
	@exec node runtime/main.mjs dev --port $(PORT) --state $(STATE) --var ALLOWED_ORIGINS=$(PAGES) \
		$(if $(SAMPLES),--samples $(SAMPLES)) $(ARGS)

test: ## every test, unit tests first, two at a time (10 to 20 minutes); ARGS="-k name" picks
	@$(PYTHON) tools/setup.py --browser
	@$(PYTEST) $(UNIT) $(ARGS)
	@$(PYTEST) $(SYSTEM) $(ARGS)

unit: setup ## the tests that need no workerd, Node or browser (3 to 5 minutes)
	@$(PYTEST) $(UNIT) $(ARGS)

check: lint types layers dry-run kernels-cached ## everything but the tests: format, lint, types, layers, dry runs

lint: setup ## format and style, by ruff and Biome
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@node_modules/.bin/biome ci --log-level=warn

types: setup ## types, by mypy in strict mode and TypeScript
	@.venv/bin/mypy
	@npm run --silent types

layers: setup ## which module may import which
	@.venv/bin/pytest -q -p no:cacheprovider tests/unit/test_layers.py

dry-run: setup ## what `wrangler deploy` would upload, for all four Workers
	@.venv/bin/python -m tools.dry_run

# Building needs a compiler of 80 MB, so that `make check` leaves it out where the compiler was never fetched.
kernels-cached:
	@if [ -d .cache/kernels-venv ]; then $(MAKE) --no-print-directory kernels-check; fi

fuzz: fuzz-kernels ## 50,000 damaged JPEGs through both decoders (about 10 minutes), after a million through the kernels
	@.venv/bin/python -m tests.support.fuzz.jpeg $(ARGS)

model: setup ## random operations of several users with faults and kills, against a model (about 10 minutes)
	@.venv/bin/python -m tests.support.model $(ARGS)

bench: setup ## measure everything beside its peers (about 40 minutes; goes on where it was interrupted)
	@.venv/bin/python -m benchmarks run $(ARGS)

bench-check: setup ## compare ratios with the committed results; name what got worse by more than 15 %
	@.venv/bin/python -m benchmarks check

# The advisories that SECURITY.md explains.
ACCEPTED = GHSA-8g5g-8vmr-9782 CVE-2026-40192 CVE-2026-25990 CVE-2026-42311 CVE-2026-42310 CVE-2026-42308 CVE-2026-42309
audit: setup ## known vulnerabilities in everything that is pinned, Python's and npm's
	@for lock in locks/*.txt; do echo $$lock; \
		.venv/bin/uvx pip-audit@2.10.1 --disable-pip --require-hashes --requirement $$lock \
		$(ACCEPTED:%=--ignore-vuln %) || exit 1; done
	@.venv/bin/npm audit
	@.venv/bin/npm audit --prefix benchmarks

examples: setup ## the unit tests with 2,000 random examples each, others every time (about 40 minutes)
	@$(PYTEST) --hypothesis-profile nightly $(UNIT) $(ARGS)

soak: setup ## mixed traffic for 30 minutes (ARGS="--minutes 5 --kill-every 20"); every answer and the memory are judged
	@.venv/bin/python -m tests.support.soak $(ARGS)

locks: ## resolve the pinned requirements anew
	@.venv/bin/python -m tools.vendor
	@.venv/bin/uv pip compile --quiet --generate-hashes --group pyproject.toml:dev --python-version 3.11 --universal \
		--custom-compile-command "make locks" -o locks/dev.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --group pyproject.toml:python-314 --python-version 3.11 \
		--universal --custom-compile-command "make locks" -o locks/python-3.14.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --group pyproject.toml:bench --python-version 3.11 \
		--custom-compile-command "make locks" -o locks/bench.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --group pyproject.toml:kernels --python-version 3.11 \
		--universal --custom-compile-command "make locks" -o locks/kernels.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes client/pyproject.toml --group client/pyproject.toml:browser \
		--python-version 3.13 --python-platform wasm32-pyodide2025 --custom-compile-command "make locks" -o locks/browser.txt

kernels: setup ## build kernels/wheels anew, the WebAssembly modules beside Pillow
	@.venv/bin/python kernels/build.py

kernels-check: setup ## build them elsewhere and compare with what is committed
	@.venv/bin/python kernels/build.py --check

CASES ?= 100000
fuzz-webp: setup ## decode CASES broken WebPs natively, with gcc's sanitizers
	@.venv/bin/python kernels/fuzz_webp.py $(CASES)

KERNEL_CASES ?= 1000000
fuzz-kernels: setup ## feed KERNEL_CASES damaged pictures to the image kernels natively, with gcc's sanitizers
	@.venv/bin/python kernels/fuzz_kernels.py $(KERNEL_CASES)

fonts: ## make the watermark's fonts anew (on Debian, from its Noto packages)
	@.cache/kernels-venv/bin/python tools/fonts.py

deploy: setup ## from here to Cloudflare: `make deploy ARGS=--dry-run` says what it would do
	@.venv/bin/python -m tools.deploy $(ARGS)

wrangler-dev: setup ## the four Workers in Cloudflare's own runtime, on PORT (8787), until Ctrl-C
	@exec .venv/bin/python -m tools.wrangler_dev --port $(PORT) $(ARGS)

rollback: setup ## return all four Workers to the release before: `make rollback ARGS=--dry-run` says which
	@.venv/bin/python -m tools.deploy --rollback $(ARGS)

clean: ## remove everything that set-up and runs made
	@rm -rf .venv node_modules .cache .state python_modules variants/*/python_modules web/dist
