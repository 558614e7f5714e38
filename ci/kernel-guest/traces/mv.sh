# mv of a file, onto a file, into a directory, of a directory
# shellcheck shell=dash
scenario() {
  mkdir d
  echo a > a
  echo b > b
  mv a c
  mv b c
  mv c d/c
  mv d e
  cat e/c
}
