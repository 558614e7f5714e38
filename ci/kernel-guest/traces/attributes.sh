# chmod; chown; touch -d; touch
# shellcheck shell=dash
scenario() {
  echo a > a
  mkdir d
  chmod 640 a
  chmod 2750 d
  chown 1000:1001 a
  touch -d '2020-02-03 04:05:06.789' a
  touch a
  remount
  stat -c '%a %u %g' a d
}
