# flock and fcntl locks between processes of one client, and between two clients: the other one's part is in peer.sh.
# shellcheck shell=dash

flock_between_processes() {
  exec 5> lock 6< a
  flock -n 5
  refused flock -n lock true
  flock -n -s 6
  flock -n -s a echo shared
  refused flock -n -x a true
  flock -u 5
  flock -n lock echo free
  exec 5>&- 6<&-
  flock -n -x a echo free
}
same flock_between_processes

fcntl_between_processes() {
  "$PYTHON" "$here/ranges.py" processes a n
}
same fcntl_between_processes

flock_waits() {
  exec 5> lock
  flock -n 5
  (sleep 0.5; flock -u 5) &
  flock -w 20 lock echo came
  wait
  exec 5>&-
}
same flock_waits

two_clients() {
  echo of-the-first > hello
  echo ranges > ranges
  : > lock
  ask peer
  exec 5<> lock
  flock -n 5
  "$PYTHON" "$here/ranges.py" hold ranges "$SHARE/first-locked" "$SHARE/peer-tried" &
  await first-locked
  await peer-tried
  wait
  grep -x of-the-peer reply
  sleep 1.2 # the peer waits for the lock
  flock -u 5
  await peer-locked
  refused flock -n lock true | grep refused
  signal first-tried
  flock -w 30 lock true
  exec 5>&-

  signal race
  first=$("$PYTHON" "$here/race.py" "$SHARE/go")
  await peer-raced
  peer=$(cat "$SHARE/peer-raced")
  [ "$((first + peer))" = 50 ] || { echo "O_EXCL: $first and $peer of 50"; return 1; }
  await peer-done
  (
    cd "$reference"
    echo of-the-first > hello
    echo of-the-peer > reply
    echo ranges > ranges
    : > lock
    for number in $(seq 50); do : > "exclusive-$number"; done
  )
}
once two_clients
