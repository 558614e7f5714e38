# A mount made before the server was restarted goes on working.
# shellcheck shell=dash

restart_of_the_server() {
  echo before > written
  exec 5>> written 6< seeded/m 7> held
  echo synced >&5
  sync written
  head -c 40000 <&6 | cmp - "$reference/head"
  flock -n 7
  echo unsynced >&5
  ask restart
  echo after >&5
  forget_caches
  cat <&6 | cmp - "$reference/tail"
  refused flock -n held true | grep refused
  ls seeded | grep -x m
  echo new > made-after
  mv made-after moved-after
  exec 5>&- 6<&- 7>&-
  flock -n held true
  printf 'before\nsynced\nunsynced\nafter\n' | cmp - written
}

restart_keeps_the_mount() {
  head -c 40000 "$reference/seeded/m" > "$reference/head"
  tail -c 60000 "$reference/seeded/m" > "$reference/tail"
  restart_of_the_server
  rm "$reference/head" "$reference/tail"
  printf 'before\nsynced\nunsynced\nafter\n' > "$reference/written"
  echo new > "$reference/moved-after"
  : > "$reference/held"
}
once restart_keeps_the_mount
