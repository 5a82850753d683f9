#!/usr/bin/env bash
# install.sh: puts the built C library where compilers, pkg-config and CMake find it, under DESTDIR/PREFIX.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VERSION:?the version to install}" "${PREFIX:=/usr/local}" "${DESTDIR:=}" "${BUILT:=target/release}"
case "$PREFIX" in /*) ;; *) echo "install: PREFIX is an absolute path" >&2; exit 1 ;; esac

root=$DESTDIR$PREFIX
soname=libsprongus.so.${VERSION%%.*}
fill() { sed -e "s|@PREFIX@|$PREFIX|" -e "s|@VERSION@|$VERSION|" -e "s|@MAJOR@|${VERSION%%.*}|" -e "s|@SONAME@|$soname|" "$1"; }

install -d "$root/include/sprongus" "$root/lib/pkgconfig" "$root/lib/cmake/sprongus"
install -m 644 include/*.h include/*.hpp "$root/include"
install -m 644 include/sprongus/*.hpp "$root/include/sprongus"
install -m 755 "$BUILT/libsprongus.so" "$root/lib/libsprongus.so.$VERSION"
install -m 644 "$BUILT/libsprongus.a" "$root/lib"
ln -sf "libsprongus.so.$VERSION" "$root/lib/$soname"
ln -sf "$soname" "$root/lib/libsprongus.so"
fill sprongus-ffi/sprongus.pc.in >"$root/lib/pkgconfig/sprongus.pc"
for config in sprongus-config sprongus-config-version; do
    fill "sprongus-ffi/$config.cmake.in" >"$root/lib/cmake/sprongus/$config.cmake"
done
echo "installed sprongus $VERSION under $root"
