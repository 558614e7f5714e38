# Changing a part of a file: shorter, longer, in the middle.
# shellcheck shell=dash

truncate_down() { truncate -s 1234 m; stat -c %s m; sha256sum m; truncate -s 0 a; cat a; }
same truncate_down

truncate_up() { truncate -s 200000 m; truncate -s 50 a; truncate -s 5000 n; stat -c %s m a n; sha256sum m a n; }
same truncate_up

truncate_down_and_up() { truncate -s 10 m; truncate -s 70000 m; echo end >> m; sha256sum m; }
same truncate_down_and_up

overwrite_middle() {
  echo MIDDLE | dd of=m bs=1 seek=50001 conv=notrunc status=none
  dd if=$data of=m bs=4096 seek=3 count=2 conv=notrunc status=none
  stat -c %s m
  sha256sum m
}
same overwrite_middle

overwrite_ends() {
  echo FIRST | dd of=m conv=notrunc status=none
  echo LAST | dd of=m bs=1 seek=99998 conv=notrunc status=none
  stat -c %s m
  sha256sum m
}
same overwrite_ends

overwrite_and_read_in_one_open() {
  exec 5<> m
  head -c 30000 <&5 | sha256sum
  echo HERE >&5
  head -c 1000 <&5 | sha256sum
  exec 5<&-
  sha256sum m
}
same overwrite_and_read_in_one_open

truncate_open_file() {
  "$PYTHON" -ISc '
import os
file = os.open("m", os.O_RDWR)
os.pwrite(file, b"w" * 10, 40_000)
os.ftruncate(file, 40_005)
os.pwrite(file, b"x" * 10, 60_000)
print(os.fstat(file).st_size, os.pread(file, 10, 40_000))
os.close(file)'
  sha256sum m
}
same truncate_open_file

overwrite_large() { # 20 MiB, so that parts of it can be copied
  for file in seeded/large "$reference/seeded/large"; do
    dd if=$data of="$file" bs=1000 seek=9001 count=50 conv=notrunc status=none
    echo end >> "$file"
  done
  cmp seeded/large "$reference/seeded/large"
}
once overwrite_large

truncate_large() {
  truncate -s 9000001 seeded/large "$reference/seeded/large"
  cmp seeded/large "$reference/seeded/large"
}
once truncate_large

write_large() { # 24 MiB in one go
  for file in large "$reference/large"; do
    cat $data $data $data > "$file"
  done
  forget_caches
  cmp large "$reference/large"
}
once write_large
