#!/usr/bin/env bash
# Installs the Debian packages that are missing. Where that cannot be, it says so on stderr and goes on: what needs them
# says what it skips, and fails in CI.
#
# usage: ci/packages.sh PACKAGE...          Exit status: 0.
set -euo pipefail

missing=()
for package in "$@"; do
  dpkg -s "$package" > /dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

quiet=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
install() { DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}"; }
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "packages: not installed, as only root can, with apt-get: ${missing[*]}" >&2
elif ! { install || { apt-get "${quiet[@]}" update && install; }; } > /dev/null 2>&1; then
  echo "packages: apt-get cannot install ${missing[*]}" >&2
fi
