# Symbolic links, folders, and removal.
# shellcheck shell=dash

symlinks() {
  ln -s a l
  ln -s d/e le
  ln -s nowhere dangling
  readlink l le dangling
  cat l le/f
  refused cat dangling
  stat -c '%F %s' l le dangling
  find . -type l | sort
}
same symlinks

symlink_changes() {
  ln -s a l
  ln -sfn b l
  cat l
  mv l k
  readlink k
  echo written >> k
  cat b
  ln -s a gone
  rm gone
  cat a
  refused ln -s a b
}
same symlink_changes

symlink_without_caches() { ln -s ../elsewhere/ünïcödé l; forget_caches; readlink l; ls -A; }
same symlink_without_caches

mkdir_p() { mkdir -p x/y/z d/e/new; find . -type d | sort; refused mkdir d; refused mkdir a; refused mkdir no/such; mkdir -p x/y; }
same mkdir_p

rmdir_only_empty() { mkdir t; rmdir t; refused test -e t; refused rmdir d; refused rmdir a; refused rmdir nothing; cat d/e/f; }
same rmdir_only_empty

rm_files() { rm a m; refused test -e a; refused rm nothing; rm -f nothing; refused rm d; ls -A; echo again > a; cat a; }
same rm_files

rm_last_keeps_the_folder() { rm d/e/f; ls -A d/e; test -d d/e; forget_caches; test -d d/e; ls d; }
same rm_last_keeps_the_folder

rm_r() { rm -r d; refused test -e d; ls -A; mkdir d; ls -A d; }
same rm_r

rm_all() { rm -r ./*; ls -A; }
same rm_all

open_unlink_read() {
  exec 5< a 6< m
  rm a m
  refused test -e a
  cat <&5
  sha256sum <&6
  exec 5<&- 6<&-
  ls -A
}
same open_unlink_read

open_unlink_write() {
  exec 5<> n
  echo unseen >&5
  rm n
  echo more >&5
  echo other > n
  "$PYTHON" -ISc 'import os; print(os.pread(5, 100, 0))'
  exec 5<&-
  cat n
}
same open_unlink_write

rm_r_of_2000_existing() {
  ls seeded | wc -l | grep -x 2000
  rm -r seeded
  refused test -e seeded | grep refused
}
once rm_r_of_2000_existing

rm_r_of_2000_new() {
  "$PYTHON" -ISc '
import os
os.mkdir("made")
for number in range(2000):
    with open(f"made/file-{number:04}", "wb") as file:
        file.write(b"%d" % number)'
  find made -type f | wc -l | grep -x 2000
  rm -r made
  refused test -e made | grep refused
}
once rm_r_of_2000_new
