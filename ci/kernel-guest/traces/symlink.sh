# ln -s; readlink; cat through the link; rm of the link
# shellcheck shell=dash
scenario() {
  echo a > a
  ln -s a link
  ln -s nowhere dangling
  remount
  readlink link dangling
  cat link
  rm link dangling
}
