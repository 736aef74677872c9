#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# install_node.sh RANGE NPM_OPTION...
# Installs a Node.js into the working directory with npm.
set -eu

range=$1
shift
umask 022
# The package `node` is only a script that has npm install the one for the architecture.
case "$(uname -m)" in
  x86_64) architecture=x64 ;;
  aarch64) architecture=arm64 ;;
  armv7l) architecture=armv7l ;;
  *)
    echo "npm has no Node.js for the architecture $(uname -m). Set gateway_node_path." >&2
    exit 1
    ;;
esac
npm install "$@" "node-linux-$architecture@$range"
ln -s "node_modules/node-linux-$architecture/bin" bin
bin/node --version
