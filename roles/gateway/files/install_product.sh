#!/bin/sh
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# install_product.sh NODE_DIRECTORY PACKAGE NPM_COMMAND NPM_OPTION...
# Installs the package.json of the working directory with the npm beside a Node.js, else with the one on the PATH. Of the
# packages' scripts, only those of PACKAGE run, which may be empty.
set -eu

umask 022
PATH="$1:$PATH"
package=$2
shift 2
command -v npm > /dev/null || {
  echo "No npm found beside $(command -v node) or on the PATH. Set gateway_node_path to a Node.js with npm," \
    "or gateway_node_archive_url and gateway_node_archive_checksum." >&2
  exit 1
}
npm "$@"
if [ -n "$package" ]; then
  npm rebuild --no-update-notifier --no-progress --loglevel=error "$package"
fi
