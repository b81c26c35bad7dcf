#!/bin/sh
# Fetches Node's own tests (MIT) from Debian's source package nodejs 18.20.4 into a folder, and prints the folder for run.mjs.
# apt is given a sources file, lists and a cache of its own in that folder: the machine's are neither read nor changed.
#   sh test/node-core/fetch.sh [FOLDER]
set -eu
folder=${1:-$(mktemp -d)}
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
folder=$(cd "$folder" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed=
if [ -f $keyring ]; then signed="[signed-by=$keyring] "; fi
printf 'deb-src %shttp://deb.debian.org/debian bookworm main\n' "$signed" >"$folder/sources.list"
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root "$@" >&2
}
cd "$folder"
apt update
apt source --download-only nodejs
archive=$(ls nodejs_*.orig.tar.xz)
tar -xf "$archive" --wildcards --strip-components=1 \
  '*/test/parallel/test-net-*' '*/test/parallel/test-dgram-*' '*/test/common/*' '*/test/fixtures/*' '*/LICENSE'
echo "$folder/test"
