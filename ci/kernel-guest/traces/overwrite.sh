# an existing file opened by filehandle: overwrite in the middle, truncate, rewrite
# shellcheck shell=dash
scenario() {
  head -c 20000 /dev/zero > a
  remount
  stat a
  echo middle | dd of=a bs=1 seek=10000 conv=notrunc
  wc -c a
  echo whole > a
  cat a
}
