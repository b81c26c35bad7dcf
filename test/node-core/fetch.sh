#!/bin/sh
# Fetches Node's own tests (MIT) from Debian's source package nodejs 18.20.4 into a folder, and prints the folder for run.mjs.
#   sh test/node-core/fetch.sh [FOLDER]
set -eu
folder=${1:-$(mktemp -d)}
archive=$(sh "$(dirname "$0")/../support/fetch-debian-source.sh" nodejs "$folder")
folder=$(dirname "$archive")
tar -xf "$archive" -C "$folder" --wildcards --strip-components=1 \
  '*/test/parallel/test-net-*' '*/test/parallel/test-dgram-*' '*/test/parallel/test-http-*' '*/test/common/*' '*/test/fixtures/*' '*/LICENSE'
echo "$folder/test"
