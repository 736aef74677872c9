# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace pip's bootstrap script, which ansible-test would download, with the pip that Python ships.

That one is run from its wheel, and what it installs is compiled when it is first imported: both save half of the time,
and a run on a new machine makes 17 virtual environments.
"""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

# Where a distribution keeps the wheels, or Python.
directory = sysconfig.get_config_var("WHEEL_PKG_DIR") or Path(ensurepip.__file__).with_name("_bundled")
(wheel,) = Path(directory).glob("pip-*.whl")
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
command = [sys.executable, os.path.join(wheel, "pip"), "install", "--no-compile", *wanted]
sys.exit(subprocess.run(command, check=False).returncode)
