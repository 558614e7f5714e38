# echo >>
# shellcheck shell=dash
scenario() {
  echo one > a
  echo two >> a
  remount
  echo three >> a
  cat a
}
