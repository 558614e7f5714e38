#!/usr/bin/env bash
# Makes the MinIO image that testcontainers starts available to a Docker engine on this machine.
#
#   eval "$(ci/minio-image.sh)"     engine running, image there; prints `export DOCKER_HOST=...` where one is needed
#   ci/minio-image.sh --binary      prints the path of a MinIO server program, for use without a container
#   ci/minio-image.sh --check       starts a container of the image, asks for its health on loopback, removes it
#   ci/minio-image.sh --stop        stops the engine that this script started, if it runs
#
# A Docker engine that answers is used as it is. Else Debian's packages are installed (root only) and an engine is
# started whose data, socket and pidfile live in the cache, which publishes ports on loopback only and leaves the
# host's packet filter alone. The image is pulled where a registry can be reached, else made from
# `go install github.com/minio/minio@latest`. With a warm cache all this takes seconds.
#
# Tests connect to 127.0.0.1 and the published port. testcontainers' get_host() is not to be used: on a machine that
# has a /.dockerenv it names the bridge's address, where nothing listens.
#
# Exit status: 0 done; 1 it cannot be had here (the last line on stderr says why); 2 wrong usage.
# Environment: HAFIZ_CI_CACHE (default ${XDG_CACHE_HOME:-$HOME/.cache}/hafiz-ci), DOCKER_HOST (used when it answers).
set -euo pipefail

image=minio/minio:RELEASE.2025-02-28T09-55-16Z
cache=${HAFIZ_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hafiz-ci}
cache=$(realpath -m "$cache")
program=$cache/minio/minio
docker_dir=$cache/docker

say() { echo "minio-image: $*" >&2; }
die() { say "$*"; exit 1; }

# install PACKAGE...: from Debian, waiting for other users of apt.
install_packages() {
  [ "$(id -u)" = 0 ] || die "no Docker engine answers, and only root can install one"
  command -v apt-get > /dev/null || die "no Docker engine answers, and there is no apt-get to install one"
  local quiet=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  say "installing $*"
  DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" update > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y --no-install-recommends "$@" > /dev/null
}

engine_pid() { # the engine that this script started, if it still runs
  local pid
  pid=$(cat "$docker_dir/pid" 2> /dev/null) && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = dockerd ] && echo "$pid"
}

start_engine() {
  say "starting dockerd"
  mkdir -p "$docker_dir/data" "$docker_dir/exec"
  rm -f "$docker_dir/pid"
  # The userland proxy publishes ports, so neither packet filter rules nor forwarding are needed.
  setsid dockerd --data-root "$docker_dir/data" --exec-root "$docker_dir/exec" -H "$DOCKER_HOST" \
    --pidfile "$docker_dir/pid" --ip 127.0.0.1 --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    < /dev/null > "$docker_dir/log" 2>&1 9>&- &
  for _ in $(seq 120); do
    ! docker info > /dev/null 2>&1 || return 0
    sleep 0.5
  done
  tail -n 5 "$docker_dir/log" >&2
  die "dockerd did not come up (log: $docker_dir/log)"
}

ensure_engine() {
  ! docker info > /dev/null 2>&1 || return 0
  if ! command -v dockerd > /dev/null; then
    install_packages docker.io iptables
    ! docker info > /dev/null 2>&1 || return 0 # where systemd runs, the package starts the engine
  fi
  export DOCKER_HOST=unix://$docker_dir/docker.sock
  docker info > /dev/null 2>&1 || start_engine
}

build_program() {
  local build=$cache/minio/build
  command -v go > /dev/null || die "no registry answers, and there is no Go to build MinIO with"
  say "building MinIO from its Go module (minutes)"
  mkdir -p "$build"
  GOBIN=$build CGO_ENABLED=0 go install -ldflags '-s -w' github.com/minio/minio@latest > "$build/log" 2>&1 || {
    tail -n 5 "$build/log" >&2
    die "MinIO did not build (log: $build/log)"
  }
  mv "$build/minio" "$program"
}

copy_program_out() { # of the pulled image
  local id
  id=$(docker create "$image")
  docker cp -q "$id:/usr/bin/minio" "$program.new" > /dev/null && mv "$program.new" "$program"
  docker rm "$id" > /dev/null
}

import_program() {
  local root=$cache/minio/root
  say "making $image"
  rm -rf "$root"
  mkdir -p "$root"/{tmp,data,usr/bin}
  chmod 1777 "$root/tmp"
  ln "$program" "$root/usr/bin/minio"
  tar -C "$root" --owner=0 --group=0 -c . | docker import --change 'ENTRYPOINT ["/usr/bin/minio"]' \
    --change 'EXPOSE 9000' --change 'WORKDIR /' - "$image" > /dev/null
  rm -rf "$root"
}

ensure_image() {
  ! docker image inspect "$image" > /dev/null 2>&1 || return 0
  if [ ! -x "$program" ]; then
    if timeout 180 docker pull -q "$image" > /dev/null 2>&1; then
      copy_program_out
      return 0
    fi
    build_program
  fi
  import_program
}

ensure_program() {
  [ ! -x "$program" ] || return 0
  if command -v go > /dev/null; then build_program; else
    ensure_engine
    ensure_image
  fi
  [ -x "$program" ] || copy_program_out
}

check_image() {
  local id address
  id=$(docker run -d --rm -p 127.0.0.1::9000 "$image" server /data)
  # shellcheck disable=SC2064 # the id of now
  trap "docker rm -f -v $id > /dev/null" EXIT
  address=$(docker port "$id" 9000/tcp)
  for _ in $(seq 60); do
    if curl -fsS -m 2 "http://$address/minio/health/live" > /dev/null 2>&1; then
      # testcontainers waits for this word
      docker logs "$id" 2>&1 > /dev/null | grep 'API:' > /dev/null && say "healthy on $address" && return 0
    fi
    sleep 0.5
  done
  docker logs "$id" >&2
  die "MinIO in the container did not become healthy on $address"
}

stop_engine() {
  local pid
  pid=$(engine_pid) || { say "no engine of this script runs"; return 0; }
  kill "$pid"
  for _ in $(seq 60); do
    [ -n "$(engine_pid)" ] || return 0
    sleep 0.5
  done
  die "dockerd ($pid) did not stop"
}

mkdir -p "$cache/minio"
exec 9> "$cache/minio.lock"
flock 9
case ${1-} in
  '')
    ensure_engine
    ensure_image
    [ -z "${DOCKER_HOST-}" ] || printf 'export DOCKER_HOST=%q\n' "$DOCKER_HOST"
    ;;
  --binary)
    ensure_program
    echo "$program"
    ;;
  --check)
    ensure_engine
    ensure_image
    check_image
    ;;
  --stop) stop_engine ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac
