# Looking at what is there. Each folder starts with: a, b, empty, m (100,000 bytes), d/e/f, d/g, `d/two words`, and a
# name of special characters in d.
# shellcheck shell=dash

ls_names() { ls -A . d d/e; }
same ls_names

ls_long() { ls -l . d/e | awk 'NF > 2 { print substr($1, 1, 1), ($1 ~ /^-/ ? $5 : "-"), $NF }'; }
same ls_long

find_all() { find . | sort; find . -type f -size +50k; find . -name 'two*' -type f; }
same find_all

stat_files() { stat -c '%n %s %F %h' a empty m; stat -c '%n %F' . d d/e; }
same stat_files

stat_ids_differ() { find . -printf '%i\n' | sort | uniq -d; }
same stat_ids_differ

stat_times_are_of_today() {
  now=$(date +%s)
  stat -c '%n %Y %Z' a m d | while read -r name modified changed; do
    for time in "$modified" "$changed"; do
      if [ $((now - time)) -lt 86400 ] && [ $((now - time)) -gt -60 ]; then echo "$name today"; else echo "$name $time"; fi
    done
  done
}
same stat_times_are_of_today

cat_files() { cat a b empty d/e/f d/g 'd/two words' d/*%41*; }
same cat_files

missing_names() { refused cat nothing; refused stat d/nothing; refused ls a/b; }
same missing_names

cp_out() { cp m /run/copy; sha256sum < /run/copy; }
same cp_out

cp_r_out() {
  rm -rf /run/copies
  cp -r . /run/copies
  (cd /run/copies && find . -type f -exec sha256sum {} + | sort)
}
same cp_r_out

read_parts() {
  tail -c 1000 m | sha256sum
  dd if=m bs=4096 skip=10 count=3 status=none | sha256sum
  dd if=m bs=7777 skip=12 status=none | sha256sum
}
same read_parts

read_direct() { dd if=m bs=64k ${direct:+iflag=direct} status=none | sha256sum; }
same read_direct

df_tells_space() {
  df -P . | awk 'NR == 2 { if ($2 <= 0 || $4 <= 0) { print "no space: " $0; exit 1 } }'
  df -i . > /dev/null
}
once df_tells_space

ls_f_of_10000() {
  nfs_mount /many /mnt/many
  ls -f /mnt/many/prefix | grep -v '^\.' | sort > /run/listed
  seq -f 'object-%05g' 0 9999 | diff - /run/listed
  umount /mnt/many
}
once ls_f_of_10000
