#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# save_state.sh STATE_DIRECTORY COPY NAME...
# Copies the named parts of a state directory whose gateway does not run, unless there is a copy, and prints its path. After
# several interrupted runs, the copy of the first stays: it is of the last version that was verified.
set -eu

state=$1
copy=$2
shift 2
test ! -e "$copy" || exit 0
umask 077
# A disk that the copy has filled is not left full.
trap 'rm -rf "$copy.new"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$copy.new"
mkdir "$copy.new"
for name; do
  # A part may be a symbolic link to another disk: what it leads to is converted, so that is copied.
  test ! -e "$state/$name" || cp -aH --reflink=auto "$state/$name" "$copy.new"
done
# The files must be on the disk before the copy has its name.
sync -f "$copy.new"
mv -T "$copy.new" "$copy"
echo "$copy"
