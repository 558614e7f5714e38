# rm; rm -r; rm of an open file
# shellcheck shell=dash
scenario() {
  mkdir -p d/e
  echo a > a
  echo b > d/b
  echo c > d/e/c
  echo open > open
  rm a
  rm -r d
  exec 5< open
  rm open
  cat <&5
  exec 5<&-
}
