#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# install_plugin.sh PACKAGE@VERSION CONFIG NODE ENTRY
# Has the CLI of OpenClaw install a plugin into the state directory of its environment. It gets CONFIG in place of the
# gateway's: it would write it, and install what that enables. What the inventory names is approved.
set -eu

package=$1
config=$2
shift 2
umask 077
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%s\n' "$config" > "$scratch/openclaw.json"
PATH="$(dirname "$1"):$PATH" OPENCLAW_CONFIG_PATH="$scratch/openclaw.json" OPENCLAW_CONFIG_READONLY=0 \
  "$@" plugins install "npm:$package" --pin --force --accept-capabilities
