#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# restore_state.sh STATE_DIRECTORY COPY NAME...
# Puts the copy of the named parts back into a state directory whose gateway does not run, and prints its path. Without a copy
# it does nothing. The copy is renamed to COPY.restoring first and removed last: as long as that exists, the state is incomplete,
# and another call completes it.
set -eu

state=$1
copy=$2
shift 2
rm -rf "$copy.new"
test ! -e "$copy" || mv -T "$copy" "$copy.restoring"
test -e "$copy.restoring" || exit 0
sync -f "$state"
for name; do
  saved=$copy.restoring/$name
  part=$state/$name
  if test ! -e "$saved"; then
    rm -rf "$part"
    continue
  fi
  # The content alone, since the part may be a symbolic link to another disk.
  mkdir -p "$part"
  find -H "$part" -mindepth 1 -delete
  cp -a --reflink=auto "$saved/." "$part"
  sync -f "$part/."
done
sync -f "$state"
# Renamed first: a part of a copy must not pass for all of it.
mv -T "$copy.restoring" "$copy.new"
rm -rf "$copy.new"
echo "$copy"
