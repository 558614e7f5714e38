#!/bin/sh
# The second client of a run: its part of the check two_clients in checks/60-locks.sh, told apart by signals.
# One line per check, then `N passed, N failed`.
#
# usage: peer.sh                 Environment: see lib.sh.         Exit status: 0 when all passed.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

check() {
  got=$(in_folder $mounted/once/60-locks/two_clients "$1" 2>&1)
  report "60-locks/peer/$1" $? "$got"
}

sees_what_the_first_wrote() { await first-locked; grep -x of-the-first hello; }

locks_of_the_first_hold() {
  refused flock -n lock true | grep refused
  "$PYTHON" "$here/ranges.py" try ranges
  echo of-the-peer > reply
  signal peer-tried
}

lock_comes_when_released() {
  exec 5<> lock
  flock -w 30 5
  signal peer-locked
  await first-tried
}

one_makes_each_exclusive_file() {
  await race
  signal go
  "$PYTHON" "$here/race.py" "$SHARE/go" > /run/made
  ls exclusive-* | wc -l | grep -x 50
  cp /run/made "$SHARE/made"
  mv "$SHARE/made" "$SHARE/peer-raced"
}

why=$(nfs_mount "/$BUCKET" $mounted 2>&1)
report 60-locks/peer/mount $? "$why"
check sees_what_the_first_wrote
check locks_of_the_first_hold
check lock_comes_when_released
check one_makes_each_exclusive_file
why=$(umount $mounted 2>&1)
report 60-locks/peer/umount $? "$why"
signal peer-done
summary
