# The tests on real hosts, for the Makefile to include. podman needs root: as root, or through sudo. What root writes is
# in folders of its own.
MOLECULE_RELEASES := bookworm trixie
MOLECULE_SCENARIOS := default existing systemd_system
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo) env "PATH=$(CURDIR)/$(BIN):$(PATH)" PYTHONDONTWRITEBYTECODE=1 \
	"ANSIBLE_HOME=$(CURDIR)/.cache/molecule" "ANSIBLE_COLLECTIONS_PATH=$(ANSIBLE_COLLECTIONS_PATH)"

$(VENV)/molecule: requirements-molecule.txt $(VENV)/demo
	@echo "Installing molecule into .venv (once) ..."
	@$(BIN)/pip install --quiet --requirement requirements-molecule.txt
	@touch $@

#: make molecule            the role on real systemd hosts in podman, on each Debian release
.PHONY: molecule
molecule: $(VENV)/molecule $(LINK)
	@$(BIN)/python -m tools.product
	@$(AS_ROOT) tools/podman/images $(MOLECULE_RELEASES)
	@$(AS_ROOT) tools/podman/run sh -ec 'for scenario; do molecule test --scenario-name "$$scenario"; done' \
		molecule $(MOLECULE_SCENARIOS)
