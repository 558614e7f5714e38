#!/bin/sh
# One recorded client: mounts the empty export, runs a scenario of this folder in it, unmounts.
#
# usage: trace.sh SCENARIO [PART]     Environment: see ../lib.sh.     Exit status: 0 when the scenario did what it should.
#
# A scenario is a file with a function `scenario`, and `peer` where a second client takes part. Everything it uses it
# makes itself, as a trace begins with an empty directory; its data are zeros or a repeated line, which a trace keeps
# small. Its first line tells the commands that are recorded.
# shellcheck shell=dash
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/lib.sh"
. "$here/traces/$1.sh"

remount() { # so that nothing is known of what was made before
  cd /
  umount $mounted
  nfs_mount "/$BUCKET" $mounted
  cd $mounted
}

set -e
nfs_mount "/$BUCKET" $mounted
cd $mounted
"${2:-scenario}"
cd /
umount $mounted
summary # tells the host that the end was reached
