#!/bin/sh
# workerd must not outlive the runtime, even one that was killed.
workerd=$(dirname "$0")/../node_modules/workerd/bin/workerd
native=$(dirname "$0")/../node_modules/@cloudflare/workerd-linux-64/bin/workerd
[ -x "$native" ] && workerd=$native
command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL "$workerd" "$@"
exec "$workerd" "$@"
