#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# restore_state.sh STATE_DIRECTORY COPY NAME...
# Puts the copy of the named parts back into a state directory whose gateway does not run, and prints its path. Without a copy
# it does nothing.
set -eu

state=$1
copy=$2
shift 2
test -e "$copy" || exit 0
for name; do
  rm -rf "${state:?}/$name"
  test ! -e "$copy/$name" || cp -a --reflink=auto "$copy/$name" "$state"
done
sync -f "$state"
rm -rf "$copy"
echo "$copy"
