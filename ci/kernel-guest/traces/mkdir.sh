# mkdir; mkdir -p; mkdir of what is there; rmdir
# shellcheck shell=dash
scenario() {
  mkdir d
  mkdir -p p/q/r
  refused mkdir d
  refused rmdir p
  rmdir d
}
