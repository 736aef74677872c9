#!/bin/sh
# reset_failed.sh SCOPE UNIT
# Resets a unit, of the scope `user` or `system`, that systemd does not start any more, or is about to give up.
set -eu
state=$(systemctl "--$1" is-active "$2" || :)
if [ "$state" = failed ] || [ "$state" = activating ]; then
  systemctl "--$1" reset-failed "$2"
fi
