#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# state.sh STATE_DIRECTORY UNIT
# Prints path, mode and digest of all that a migration must leave as it was. A call of its CLI changes some files of a gateway:
# these are left out.
set -eu

{
  cd "$1"
  find . ! -path '*/sessions/sessions.json*' ! -name update-check.json -printf '%p %m %U %l\n'
  find . -type f ! -path '*/sessions/sessions.json*' ! -name update-check.json ! -path './devices/*' \
    ! -name device-auth.json -exec sha256sum {} +
  sha256sum "$2"
  find "${2%/*}" ! -path '*.d*' -name '*gateway*' -printf '%p %m %l\n'
} | sort
