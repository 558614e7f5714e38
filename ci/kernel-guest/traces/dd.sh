# dd bs=1M count=3; dd bs=64k conv=fsync; dd bs=4k oflag=direct; dd seek past the end
# shellcheck shell=dash
scenario() {
  dd if=/dev/zero of=large bs=1M count=3
  dd if=/dev/zero of=synced bs=64k count=4 conv=fsync
  dd if=/dev/zero of=direct bs=4k count=4 oflag=direct
  dd if=/dev/zero of=sparse bs=4k count=1 seek=100
  dd if=large of=/dev/null bs=1M iflag=direct
}
