# mount; umount
# shellcheck shell=dash
scenario() { :; }
