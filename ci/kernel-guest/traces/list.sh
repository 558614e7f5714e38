# ls -la; stat; find; df
# shellcheck shell=dash
scenario() {
  mkdir d d/e
  echo one > a
  echo two > d/b
  remount
  ls -la
  stat d/b
  find . -type f
  df .
}
