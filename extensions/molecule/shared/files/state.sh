#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# state.sh PRODUCT
# Prints what a run that touches nothing leaves as it was: of both files the digest, inode, times, owner and mode, what
# a run of the role keeps beside them, and the gateway's process with its start.
set -eu

product=$1
cd "/home/gateway/.$product"
sha256sum .env "$product.json"
stat --format='%n %i %y %z %U:%G %a' .env "$product.json"
find . -maxdepth 1 -name '*clawfleet*' -printf '%f\n' | sort
pid=$(systemctl --user --machine=gateway@ show --property=MainPID --value "$product-gateway")
if [ "$pid" = 0 ] || [ -z "$pid" ]; then
  pid=$(systemctl show --property=MainPID --value "$product-gateway")
fi
echo "process $(ps -o pid=,lstart= -p "$pid")"
