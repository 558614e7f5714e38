# truncate down, up, to nothing
# shellcheck shell=dash
scenario() {
  head -c 10000 /dev/zero > a
  truncate -s 5000 a
  truncate -s 20000 a
  wc -c < a
  truncate -s 0 a
}
