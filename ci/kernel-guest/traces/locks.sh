# flock and fcntl locks of two clients
# shellcheck shell=dash
scenario() {
  : > lock
  echo ranges > ranges
  ask peer
  exec 5<> lock
  flock -n 5
  "$PYTHON" "$here/ranges.py" hold ranges "$SHARE/first-locked" "$SHARE/peer-tried" &
  await first-locked
  await peer-tried
  wait
  flock -u 5
  await peer-locked
  refused flock -n lock true
  signal first-tried
  flock -w 30 lock true
  exec 5>&-
  await peer-done
}

peer() {
  await first-locked
  refused flock -n lock true
  "$PYTHON" "$here/ranges.py" try ranges
  signal peer-tried
  exec 5<> lock
  flock -w 30 5
  signal peer-locked
  await first-tried
  exec 5>&-
  signal peer-done
}
