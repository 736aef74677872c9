#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# remove_copy.sh COPY
# Removes the copy of a state, and what is left of one that was not completed, and prints its path if it was there.
set -eu

copy=$1
rm -rf "$copy.new"
test -e "$copy" || exit 0
# Renamed first: a part of a copy must not pass for all of it.
mv -T "$copy" "$copy.new"
rm -rf "$copy.new"
echo "$copy"
