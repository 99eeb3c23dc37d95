#!/bin/sh
# workerd must not outlive the runtime, even one that was killed.
modules=$(dirname "$0")/../node_modules
case "$(uname -s) $(uname -m)" in
  "Linux x86_64") platform=linux-64 ;;
  "Linux aarch64") platform=linux-arm64 ;;
  "Darwin x86_64") platform=darwin-64 ;;
  "Darwin arm64") platform=darwin-arm64 ;;
  *) platform=none ;;
esac
workerd=$modules/@cloudflare/workerd-$platform/bin/workerd
# npm's own command is a Node program that starts the binary; a signal to it would leave the binary running.
[ -x "$workerd" ] || workerd=$modules/workerd/bin/workerd
command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL "$workerd" "$@"
# macOS and minimal Linux systems have no setpriv: another process waits for the runtime to end. `exec` keeps the pid.
runtime=$PPID
(
  while kill -0 "$runtime" && kill -0 $$; do sleep 1; done
  kill -0 "$runtime" || kill -KILL $$
) </dev/null >/dev/null 2>&1 3>&- 4>&- &
exec "$workerd" "$@"
