#!/bin/sh
# Fetches the captures that tcpdump is tested with (BSD licence), many of them malformed, from Debian's source package into a folder,
# and prints the folder for `npm run fuzz -- --captures FOLDER`.
#   sh bench/fuzz/fetch.sh [FOLDER]
set -eu
folder=${1:-$(mktemp -d)}
archive=$(sh "$(dirname "$0")/../../test/support/fetch-debian-source.sh" tcpdump "$folder")
folder=$(dirname "$archive")
mkdir -p "$folder/captures"
tar -xf "$archive" -C "$folder/captures" --wildcards --strip-components=2 '*/tests/*'
echo "$folder/captures"
