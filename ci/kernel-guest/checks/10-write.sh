# Making and writing files.
# shellcheck shell=dash

echo_new() { echo hello > n; cat n; : > zero; stat -c %s n zero; }
same echo_new

echo_over() { echo other > a; cat a; : > m; stat -c %s m; }
same echo_over

append() {
  echo more >> a
  echo more >> a
  echo first >> n
  echo second >> n
  cat m >> b
  cat a n
  stat -c %s b
}
same append

cp_in() { cp $data n; cmp $data n; cp n twin; cmp n twin; }
same cp_in

cp_over() { cp $data a; cp b m; cmp $data a; cat m; }
same cp_over

cp_r_inside() { cp -r d copy; find copy | sort; cat copy/e/f copy/g; }
same cp_r_inside

dd_1m() { dd if=$data of=n bs=1M status=none; cmp $data n; }
same dd_1m

dd_64k() { dd if=$data of=n bs=64k count=64 status=none; stat -c %s n; dd if=$data of=m bs=64k count=3 status=none; stat -c %s m; }
same dd_64k

dd_4k() { dd if=$data of=n bs=4k count=200 status=none; stat -c %s n; }
same dd_4k

dd_fsync() {
  dd if=$data of=n bs=1M count=2 conv=fsync status=none
  dd if=$data of=a bs=4k count=4 conv=fsync oflag=append,sync conv=notrunc status=none
  stat -c %s n a
}
same dd_fsync

dd_direct() {
  dd if=$data of=n bs=1M count=3 ${direct:+oflag=direct} status=none
  dd if=$data of=m bs=4k seek=2 count=5 conv=notrunc ${direct:+oflag=direct} status=none
  sha256sum n m
}
same dd_direct

dd_seek_past_the_end() {
  dd if=$data of=a bs=1 seek=70000 count=10 conv=notrunc status=none
  dd if=$data of=n bs=64k seek=20 count=1 status=none
  stat -c %s a n
  sha256sum a n
}
same dd_seek_past_the_end

out_of_order() { # overlapping writes from the back to the front
  "$PYTHON" -ISc '
import os, random
pattern = random.Random(7)
for name in "m", "n":
    file = os.open(name, os.O_RDWR | os.O_CREAT)
    for offset in range(180_000, -1, -9_000):
        os.pwrite(file, pattern.randbytes(10_000), offset)
        if offset % 4 == 0:
            os.fsync(file)
    os.close(file)'
  sha256sum m n
}
same out_of_order

exclusive() { # O_EXCL
  "$PYTHON" -ISc '
import os
for name in "a", "d", "n", "n":
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        print(name, "made")
    except FileExistsError:
        print(name, "was there")'
}
same exclusive

names() {
  long=$(printf '%0200d' 7)
  for name in 'a b' 'trailing ' 'ünïcödé' '100%41' 'q?x=1&y=2' 'plus+' '*~#[]' '-dash' '\back' "$long"; do
    printf '%s\n' "$name" > "./$name"
  done
  ls -A
  cat './trailing ' './100%41' './\back'
}
same names

cp_r_of_1000() {
  mkdir /run/source
  "$PYTHON" -ISc '
import os
for number in range(1000):
    with open(f"/run/source/file-{number:04}", "wb") as file:
        file.write(os.urandom(4096))'
  cp -r /run/source copied
  mv /run/source "$reference/copied"
  ls copied | wc -l | grep -x 1000
}
once cp_r_of_1000
