#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# find_nodes.sh CANDIDATE...
# Prints path and version of each candidate that exists, then the path of npm.
set -u

for candidate; do
  path=$(command -v "$candidate") && printf '%s %s\n' "$path" "$("$path" --version)"
done
command -v npm
exit 0
