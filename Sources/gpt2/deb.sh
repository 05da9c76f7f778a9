#!/bin/bash
# Makes a package for Debian of what install.sh installs: FOLDER/gpt2-filters_VERSION_ARCHITECTURE.deb
#
#   deb.sh FOLDER-OF-THE-EXECUTABLES FOLDER FILTER…
set -euo pipefail
here=$(CDPATH= cd -- "$(dirname "$0")" && pwd -P)
executables=$1 folder=$2
shift 2
. "$here/checkout.sh"
maintainer=${DEBFULLNAME:-$(git -C "$here" log -1 --format=%an 2> /dev/null || echo "gpt2-filters")}
address=${DEBEMAIL:-$(git -C "$here" log -1 --format=%ae 2> /dev/null || echo root@localhost)}
version=$("$executables/score" --version | sed 's/^score //; s/ .*//')
commit=$(git -C "$here" log -1 --format=%h 2> /dev/null || true)
full=$version${commit:++git$(git -C "$here" log -1 --date=format:%Y%m%d%H%M%S --format=%cd).$commit}
architecture=$(dpkg --print-architecture)
name=gpt2-filters

umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
"$here/install.sh" "$executables" "$root/usr" "$@"
gzip -9n "$root"/usr/share/man/man?/*
mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"

install -d "$root/DEBIAN" "$root/usr/share/doc/$name"
{
  echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
  echo
  echo 'Files: *'
  echo "Copyright: $(git -C "$here" log --reverse --format=%cd --date=format:%Y 2> /dev/null | head -n 1) $maintainer"
  echo 'License: Apache-2.0'
  echo " On Debian systems, the complete text of the Apache License 2.0 is in"
  echo " /usr/share/common-licenses/Apache-2.0."
} > "$root/usr/share/doc/$name/copyright"
{
  echo "$name ($full) unstable; urgency=medium"
  echo
  echo '  * What is new stands in CHANGELOG.gz.'
  echo
  echo " -- $maintainer <$address>  $(LC_ALL=C date -R -d "@$(git -C "$here" log -1 --format=%ct 2> /dev/null || date +%s)")"
} | gzip -9n > "$root/usr/share/doc/$name/changelog.gz"
gzip -9nc "$here/../../CHANGELOG.md" > "$root/usr/share/doc/$name/CHANGELOG.gz"

# The libraries that the executables need, as packages with the least version that will do.
mkdir "$work/debian"
: > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$root"/usr/libexec/gpt2/* 2> /dev/null | sed 's/^shlibs:Depends=//')
{
  echo "Package: $name"
  echo "Version: $full"
  echo "Architecture: $architecture"
  echo "Maintainer: $maintainer <$address>"
  echo "Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f 1)"
  echo "Depends: $depends"
  echo 'Suggests: jq, gnuplot-nox'
  echo 'Section: science'
  echo 'Priority: optional'
  echo 'Description: fine-tune GPT-2 into a text classifier, and score text with it'
  echo ' Filters that exchange lines of JSON and token shards through their standard'
  echo ' streams: they fetch, balance, split and tokenize labelled texts, fine-tune'
  echo ' GPT-2 on them, and give new texts their labels, on an ordinary CPU.'
  echo ' The command gpt2 runs them.'
} > "$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
mkdir -p "$folder"
dpkg-deb --root-owner-group --build "$root" "$folder/${name}_${full}_$architecture.deb"
