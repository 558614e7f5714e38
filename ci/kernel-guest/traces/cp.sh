# cp in; cp -r in; cp out
# shellcheck shell=dash
scenario() {
  mkdir -p /run/tree/d
  yes 'fifteen letters' | head -c 100000 > /run/tree/lines
  echo small > /run/tree/d/small
  cp /run/tree/lines lines
  cp -r /run/tree tree
  remount
  cp lines /run/lines
  cmp /run/lines /run/tree/lines
}
