#!/bin/sh
# Fetches a source package of Debian's into a folder, which is made, and prints the path of its archive. apt is given a sources file,
# lists and a cache of its own in that folder: the machine's are neither read nor changed.
#   sh test/support/fetch-debian-source.sh PACKAGE FOLDER
set -eu
package=$1
folder=$2
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
apt source --download-only "$package"
echo "$folder/$(ls "${package}"_*.orig.tar.?z)"
