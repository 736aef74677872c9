#!/bin/sh
# reset_failed.sh SCOPE UNIT
# Resets a unit, of the scope `user` or `system`, that systemd does not start any more, or is about to give up.
set -eu
# Without a login session nothing has set where the account's own service manager listens.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
state=$(systemctl "--$1" is-active "$2" || :)
if [ "$state" = failed ] || [ "$state" = activating ]; then
  systemctl "--$1" reset-failed "$2"
fi
