# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection in an execution environment, as far as ansible-builder goes without a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.cache import ROOT

EXAMPLE = ROOT / "examples" / "execution-environment" / "execution-environment.yml"


def run(directory: Path, executable: str, *arguments: str) -> str:
    command = [os.path.join(os.path.dirname(sys.executable), executable), *arguments]
    environment = {**os.environ, "ANSIBLE_HOME": str(directory / "ansible")}
    return subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the built collection, which is installed below `collections` in it."""
    directory = tmp_path_factory.mktemp("collections")
    run(directory, "ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(directory))
    (archive,) = directory.glob("*.tar.gz")
    run(
        directory,
        "ansible-galaxy",
        "collection",
        "install",
        str(archive),
        "-p",
        str(directory / "collections"),
        "--force",
    )
    return directory


def test_the_example_is_taken_and_names_the_archive_that_is_built(collections: Path) -> None:
    shutil.copy(EXAMPLE, collections)

    run(collections, "ansible-builder", "create", "--context", "context")

    (archive,) = (file.name for file in collections.glob("*.tar.gz"))
    context = collections / "context" / "_build"
    assert (context / archive).read_bytes() == (collections / archive).read_bytes()
    assert yaml.safe_load((context / "requirements.yml").read_text()) == {
        "collections": [{"name": archive, "type": "file"}]
    }


def test_the_collection_adds_nothing_to_an_execution_environment(collections: Path) -> None:
    shown = run(collections, "ansible-builder", "introspect", "collections")

    # Without the file in meta, the requirements of the tests would be taken for the collection's own.
    assert (collections / "collections/ansible_collections/clawfleet/clawdbot/requirements.txt").is_file()
    assert yaml.safe_load(shown.partition("---")[2]) == {"python": [], "system": []}
