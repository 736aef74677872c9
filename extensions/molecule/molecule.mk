# The tests on real hosts, for the Makefile to include. podman needs root: as root, or through sudo. What root writes is
# in directories of its own.
MOLECULE_RELEASES := bookworm trixie
# Every directory here but what they share, so that none is left out; the longest first.
LONGEST := openclaw default openclaw_rotation migrate mixed_fleet foreign_units
SCENARIOS := $(LONGEST) $(filter-out shared $(LONGEST),$(notdir $(patsubst %/,%,$(wildcard extensions/molecule/*/))))
# Half of a scenario is waiting, so two for each core.
MOLECULE_JOBS = $(shell echo $$(($$(nproc) * 2)))
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo) env "PATH=$(CURDIR)/$(BIN):$(PATH)" PYTHONDONTWRITEBYTECODE=1 \
	"ANSIBLE_HOME=$(CURDIR)/.cache/molecule" "ANSIBLE_COLLECTIONS_PATH=$(ANSIBLE_COLLECTIONS_PATH)"

$(VENV)/molecule: requirements-molecule.txt $(VENV)/demo
	@echo "Installing molecule into .venv (once) ..."
	@$(BIN)/pip install --quiet --requirement requirements-molecule.txt
	@touch $@

# What the hosts of the scenarios are made of; .ci/run makes it while other tests run.
.PHONY: hosts
hosts: $(VENV)/demo $(LINK) products
	@$(BIN)/python -m tools.host_ansible
	@$(BIN)/python -m tools.host_node
	@$(BIN)/python -m tools.host_versions
	@$(AS_ROOT) tools/podman/images $(MOLECULE_RELEASES)

#: make molecule [SCENARIOS=rotation]   the role on real systemd hosts in podman, on each Debian release
.PHONY: molecule
molecule: $(VENV)/molecule hosts
	@$(AS_ROOT) tools/podman/run extensions/molecule/run_scenarios $(MOLECULE_JOBS) $(SCENARIOS)
