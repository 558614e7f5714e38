# touch, chmod, chown.
# shellcheck shell=dash

touch_new() { touch n; stat -c %s n; touch a; cat a; }
same touch_new

touch_time() { touch -d @1000000000 a m; stat -c '%n %Y' a m; touch -a -d @1100000000 a; stat -c %Y a; touch -r a b; stat -c %Y b; }
same touch_time

touch_moves_time() { touch -d @1000000000 a; touch a; [ "$(stat -c %Y a)" -gt 1700000000 ] && echo moved; }
same touch_moves_time

write_moves_time() {
  touch -d @1000000000 a
  echo more >> a
  [ "$(stat -c %Y a)" -gt 1700000000 ] && echo moved
  touch -d @1000000000 a
  truncate -s 3 a
  [ "$(stat -c %Y a)" -gt 1700000000 ] && echo moved
}
same write_moves_time

chmod_file() { chmod 640 a; stat -c %a a; chmod u+x,o+r a; stat -c %a a; chmod 444 m; stat -c %a m; cat a; }
same chmod_file

chmod_folder() { chmod 750 d; stat -c %a d; ls d/e; }
same chmod_folder

chmod_of_new() { (umask 027; echo x > n; mkdir t); stat -c %a n t; (umask 0; echo x > o); stat -c %a o; }
same chmod_of_new

chmod_survives_write() { chmod 751 a; echo more >> a; stat -c %a a; mv a z; stat -c %a z; }
same chmod_survives_write

chown_file() { chown 1234:5678 a; stat -c %u:%g a; chgrp 99 a; stat -c %u:%g a; chown 0 a; stat -c %u:%g a; }
same chown_file

cp_p() { chmod 604 a; touch -d @1000000000 a; chown 7:8 a; cp -p a n; stat -c '%a %Y %u:%g' n; cat n; }
same cp_p

attributes_without_caches() {
  chmod 640 a
  chown 1234:5678 a
  touch -d @1000000000 a
  chmod 700 d
  forget_caches
  stat -c '%a %u:%g %Y %s' a
  stat -c %a d
}
same attributes_without_caches
