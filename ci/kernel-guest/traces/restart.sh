# the server restarts under an open, written and locked file
# shellcheck shell=dash
scenario() {
  echo before > a
  exec 5>> a 7> held
  echo synced >&5
  sync a
  flock -n 7
  ask restart
  echo after >&5
  exec 5>&- 7>&-
  cat a
}
