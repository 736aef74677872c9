#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# finish_install.sh NEW DIRECTORY
# Marks a new installation as complete and moves it to its place.
set -eu

# The files must be on the disk before the mark is.
sync -f "$1"
: > "$1/installed"
mv -T "$1" "$2"
