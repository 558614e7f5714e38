# mv of files and folders, also onto what exists.
# shellcheck shell=dash

mv_file() { mv a z; refused test -e a; cat z; ls -A; }
same mv_file

mv_over_file() { mv a b; cat b; refused test -e a; mv b m; cat m; }
same mv_over_file

mv_into_folder() { mv a m d/e; ls -A . d/e; cat d/e/a; sha256sum d/e/m; }
same mv_into_folder

mv_there_and_back() { mv a z; mv z a; cat a; mv a z; echo another > a; cat a z; }
same mv_there_and_back

mv_just_written() { echo fresh > n; mv n z; cat z; cp $data big; mv big d/big; cmp $data d/big; }
same mv_just_written

mv_just_written_over() { echo fresh > n; mv n a; cat a; cp $data big; mv big m; cmp $data m; }
same mv_just_written_over

mv_while_open() {
  exec 5< m
  mv m z
  head -c 50000 <&5 | sha256sum
  exec 6>> a
  mv a y
  echo later >&6
  exec 5<&- 6>&-
  cat y
}
same mv_while_open

mv_over_open() {
  exec 5< b
  mv a b
  cat <&5
  exec 5<&-
  cat b
}
same mv_over_open

mv_keeps_the_file() { # the same inode number at the new name
  before=$(stat -c %i a)
  mv a z
  [ "$before" = "$(stat -c %i z)" ] && echo kept
  before=$(stat -c %i d)
  mv d folder
  [ "$before" = "$(stat -c %i folder)" ] && echo kept
}
same mv_keeps_the_file

mv_folder() { mv d z; refused test -e d; find z | sort; cat z/e/f 'z/two words'; }
same mv_folder

mv_folder_then_write() { mv d z; echo new > z/e/n; echo more >> z/g; mv z d; find d | sort; cat d/e/n d/g; }
same mv_folder_then_write

mv_folder_into_folder() { mkdir t; mv d t; find t | sort; mv t/d/e .; cat e/f; }
same mv_folder_into_folder

mv_over_empty_folder() { mkdir t; mv -T d t; find . | sort; cat t/e/f; }
same mv_over_empty_folder

mv_refused() {
  mkdir t
  echo x > t/x
  refused mv -T d t
  refused mv -T a d
  refused mv -T d a
  refused mv nothing z
  refused mv d d/e/inside
  find . | sort
}
same mv_refused

mv_of_200() { # a folder of 200 objects
  mv seeded moved
  mv "$reference/seeded" "$reference/moved"
  ls moved | wc -l | grep -x 200
  cmp moved/object-00150 "$reference/moved/object-00150"
  refused test -e seeded | grep refused
}
once mv_of_200
