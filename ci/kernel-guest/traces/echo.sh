# echo > new; echo > existing
# shellcheck shell=dash
scenario() {
  echo hello > a
  echo again > a
}
