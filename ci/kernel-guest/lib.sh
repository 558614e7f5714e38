# What the guest's programs share; sourced by guest.sh and peer.sh. POSIX sh: forks are dear in this guest, and the
# host's sh forks cheaper than bash.
#
# A check is a shell function, run under `set -e` in a folder of its own, in one of two ways:
#   same CHECK  runs it in a folder of the RAM disk and in two folders of the mount, which start with equal files:
#               `old` (put there through S3) and `new` (made through the mount). What it prints must be the same.
#   once CHECK  runs it in one folder of the mount; its exit status tells. It leaves in $reference what the folder
#               should hold afterwards.
# At the end the mount is compared with the RAM disk, and the host compares the bucket with it.
#
# Environment: NFS_ADDRESS NFS_PORT (of the runner); VERS (4.0, 4.1, 4.2), BUCKET, SHARE (a folder that host and guests
# share), PYTHON.
# shellcheck shell=dash

export LC_ALL=C
mounted=/mnt/bucket # the bucket
ram=/run/reference  # what the bucket should hold
passed=0 failed=0 story=''

report() { # report NAME STATUS WHY
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
    echo "ok $1"
  else
    failed=$((failed + 1))
    echo "FAIL $1: $(echo "$3" | tail -n 5 | tr '\n' ' ')"
  fi
}

summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

nfs_mount() { # nfs_mount EXPORT FOLDER: an error instead of a hang where the server does not answer
  mkdir -p "$2"
  mount -i -t nfs4 -o "vers=$VERS,addr=$NFS_ADDRESS,clientaddr=10.213.7.2,port=$NFS_PORT,softerr,timeo=200,retrans=1" \
    "$NFS_ADDRESS:$1" "$2"
}

in_folder() { # in_folder FOLDER CHECK
  cd "$1" || exit 1
  set -e
  "$2"
}

same() {
  direct=''
  want=$(in_folder "$ram/both/$story/$1" "$1" 2> /run/errors)
  want_status=$?
  if [ $want_status != 0 ]; then
    report "$story/$1/reference" 1 "status $want_status on the RAM disk: $(cat /run/errors)"
    return
  fi
  direct=yes
  for side in old new; do
    got=$(in_folder "$mounted/$side/$story/$1" "$1" 2> /run/errors)
    got_status=$?
    if [ $got_status != 0 ]; then
      report "$story/$1/$side" 1 "status $got_status: $(tail -n 2 /run/errors)"
    elif [ "$got" != "$want" ]; then
      report "$story/$1/$side" 1 "printed '$got', should be '$want'; $(tail -n 2 /run/errors)"
    else
      report "$story/$1/$side" 0
    fi
  done
}

once() {
  folder=$mounted/once/$story/$1
  reference=$ram/once/$story/$1
  mkdir -p "$folder" "$ram/once/$story"
  if [ -d "$SHARE/once/$story/$1" ]; then cp -r "$SHARE/once/$story/$1" "$reference"; else mkdir "$reference"; fi
  got=$(in_folder "$folder" "$1" 2>&1)
  report "$story/$1" $? "$got"
}

refused() { # refused COMMAND...: says whether it was
  if "$@" 2> /dev/null; then echo "allowed: $*"; else echo "refused: $*"; fi
}

forget_caches() { # what is read next comes from the server
  sync
  echo 3 > /proc/sys/vm/drop_caches
}

signal() { : > "$SHARE/$1"; }

await() { # await NAME [SECONDS]: until another guest or the host has signalled NAME
  tries=$((${2:-60} * 10))
  until [ -e "$SHARE/$1" ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "no $1 came"; return 1; }
    sleep 0.1
  done
}

ask() { # ask WORD: has the host do something ('restart' the server, start the 'peer'), returns when it is done
  signal "ask.$1"
  await "done.$1"
}
