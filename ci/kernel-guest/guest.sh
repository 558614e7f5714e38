#!/bin/sh
# The first client of a run: mounts the bucket, runs all checks of checks/, compares everything with the RAM disk and
# leaves in $SHARE/manifest what the bucket should hold. One line per check (`ok NAME`, `FAIL NAME: why`), then
# `N passed, N failed`.
#
# usage: guest.sh                Environment: see lib.sh.         Exit status: 0 when all passed.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

mkdir -p "$ram/once" && cp -r "$SHARE/both" "$ram/both" || exit 1
if ! why=$(nfs_mount "/$BUCKET" $mounted 2>&1); then
  report mount 1 "$why"
  summary
  exit 1
fi
data=/run/data # 8 MiB to write
head -c 8388608 /dev/urandom > $data
why=$(cp -r "$ram/both" $mounted/new 2>&1)
report cp_r_of_the_seed $? "$why"

for file in "$here"/checks/*.sh; do
  story=$(basename "$file" .sh)
  . "$file"
done

cd /
forget_caches
for side in old new once; do
  expected=both
  [ $side != once ] || expected=once
  why=$(diff -r --no-dereference "$ram/$expected" "$mounted/$side" 2>&1)
  report "read_back/$side" $? "$why"
done
why=$(umount $mounted 2>&1)
report umount $? "$why"
"$PYTHON" "$here/manifest.py" "$ram" > "$SHARE/manifest" || exit 1
summary
