#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Prints each file of the host that holds one of the texts on standard input, one a line: a key is in no argv. To be run
# by root. The journal is also searched as it is read. Not searched: /proc and /sys, which are no files, the product's
# packages, which are the test machine's and read-only here, and what is the test's own: keys of the mock server, and what a
# scenario keeps of the two files.
set -eu

texts=$(mktemp -p /dev/shm)
trap 'rm -f "$texts"' EXIT
cat > "$texts"
test -s "$texts"
{
  find / '(' -path /proc -o -path /sys -o -path /opt/clawdbot -o -path /opt/openclaw -o -path /etc/mock_server.json -o -path /root/before \
    -o -path "$texts" ')' -prune -o -type f -print0 \
    | xargs -0 grep --files-with-matches --no-messages --fixed-strings --file="$texts" || :
  if journalctl --all --output=export | grep --text --quiet --fixed-strings --file="$texts"; then
    echo journal
  fi
} | sort
