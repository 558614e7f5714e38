# cat
# shellcheck shell=dash
scenario() {
  echo hello > a
  head -c 300000 /dev/zero > zeros
  remount
  cat a
  cat zeros | wc -c
}
