#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# prune.sh INSTALL_DIRECTORY MARK USED_PATH...
# Marks each installation with a used path as the gateway's own, takes the mark from all others, and removes and prints
# those that no gateway has marked.
set -eu

root=$1
mark=$2
shift 2
for complete in "$root"/*/installed; do
  test -e "$complete" || continue
  installation=${complete%/installed}
  used=
  for path; do
    case $path in "$installation"/*) used=yes ;; esac
  done
  if [ -n "$used" ]; then
    mkdir -p "$installation/gateways"
    : > "$installation/gateways/$mark"
    continue
  fi
  rm -f "$installation/gateways/$mark"
  if [ -z "$(ls "$installation/gateways" 2> /dev/null)" ]; then
    # Moved first, so that half of an installation never passes for a complete one.
    rm -rf "$root/.removed"
    mv -T "$installation" "$root/.removed"
    echo "$installation"
  fi
done
rm -rf "$root/.removed"
