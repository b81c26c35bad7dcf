#!/bin/sh
# Fetches the captures that tcpdump is tested with (BSD licence), many of them malformed, from Debian's source package into a folder,
# and prints the folder for `npm run fuzz -- --captures FOLDER`. apt is given a sources file, lists and a cache of its own there.
#   sh bench/fuzz/fetch.sh [FOLDER]
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
apt source --download-only tcpdump
archive=$(ls tcpdump_*.orig.tar.?z)
mkdir -p captures
tar -xf "$archive" --wildcards --strip-components=2 -C captures '*/tests/*'
echo "$folder/captures"
