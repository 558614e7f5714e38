# Mounts of the root and of a prefix, beside the one of the bucket.
# shellcheck shell=dash

mount_root() {
  nfs_mount / /mnt/root
  ls /mnt/root | grep -x "$BUCKET"
  ls /mnt/root | grep -x many
  top=/mnt/root/$BUCKET/once/$story/mount_root
  cmp "$top/seeded/a" "$reference/seeded/a"
  echo through-the-root | tee "$top/new" > "$reference/new"
  cmp "$top/new" "$reference/new"
  umount -R /mnt/root
  cmp new "$reference/new"
}
once mount_root

mount_prefix() {
  nfs_mount "/$BUCKET/once/$story/mount_prefix/seeded" /mnt/prefix
  cmp /mnt/prefix/a "$reference/seeded/a"
  echo through-the-prefix | tee /mnt/prefix/new > "$reference/seeded/new"
  mkdir /mnt/prefix/folder "$reference/seeded/folder"
  umount /mnt/prefix
  cmp seeded/new "$reference/seeded/new"
  test -d seeded/folder
}
once mount_prefix

mount_missing_is_refused() {
  refused nfs_mount "/$BUCKET/nothing-here" /mnt/nothing | grep refused
  refused nfs_mount /no-such-bucket /mnt/nothing | grep refused
}
once mount_missing_is_refused
