# The project's commands. `make demo` and `make test` need nothing but the Rust toolchain; what the other targets need
# is installed or fetched by the scripts in ci/.

CARGO ?= cargo
DEMO_DIR ?= hafiz-demo
DEMO_BIND ?= 127.0.0.1:2049

# One command builds all tests and the program: with other sets of packages cargo would build the dependencies anew.
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug

.PHONY: help demo test suites conformance kernel bench lint

help:
	@echo "make demo         the gateway before an S3 store of its own; prints the mount line (DEMO_DIR, DEMO_BIND)"
	@echo "make test         all tests; what the machine cannot run is named as skipped"
	@echo "make suites       all but the kernel guest's checks"
	@echo "make conformance  the suites on the embedded store and on MinIO in a container, and tests of the program"
	@echo "make kernel       the kernel guest's checks for NFSv4.0, 4.1 and 4.2 on both stores (root)"
	@echo "make bench        throughput and round trips, as ratios to the store itself"
	@echo "make lint         rustfmt, clippy and the house rules"

demo:
	$(CARGO) run --release --quiet --package hafiz-nfs-gateway -- demo --dir $(DEMO_DIR) --bind $(DEMO_BIND)

test: suites kernel

suites:
	ci/packages.sh libnfs-utils
	ci/with-minio $(CARGO) test --workspace

conformance:
	ci/packages.sh libnfs-utils
	ci/with-minio $(CARGO) test --workspace --test suites --test traces --test rfc --test hostile --test clients \
		--test sim_cli --test program --test memory --test embedded_s3

kernel:
	$(CARGO) test --workspace --no-run
	HAFIZ_BIN=$(BUILT)/hafiz-nfs-gateway ci/kernel-guest/suite

bench:
	$(CARGO) run --release --quiet --package conformance --bin bench

lint:
	ci/lint.sh
