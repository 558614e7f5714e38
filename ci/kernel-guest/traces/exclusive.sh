# open(O_CREAT|O_EXCL), twice
# shellcheck shell=dash
scenario() {
  "$PYTHON" -c 'import os; os.write(os.open("a", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640), b"mine\n")'
  refused "$PYTHON" -c 'import os; os.open("a", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)'
}
