#!/bin/sh
# Called as ssh is: [OPTION...] HOST COMMAND... Runs the command here, on a host of that name.
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec unshare --uts sh -c "hostname $host; $*"
