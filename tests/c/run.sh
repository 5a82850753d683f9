#!/usr/bin/env bash
# run.sh: compiles the C and C++ tests and examples every way they may be compiled, and runs them plain, under valgrind and
# with AddressSanitizer, on SQLite in memory and in a file and on PostgreSQL. Run by `make test-c`.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${SPRONGUS_TEST_PG_URL:?run it beside a PostgreSQL: make test-c}" "${PROFILE_DIR:=target/debug}"
CC=${CC:-cc}
CXX=${CXX:-c++}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export SPRONGUS_TEST_TMP=$out
# Programs look for the library by its SONAME.
soname=$(readelf -d "$PROFILE_DIR/libsprongus.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
ln -s "$(realpath "$PROFILE_DIR/libsprongus.so")" "$out/libsprongus.so"
ln -s libsprongus.so "$out/$soname"

strict=(-Wall -Wextra -Wpedantic -Werror -g -Iinclude)
link=(-L"$out" -lsprongus -Wl,-rpath,"$out")
as_c99=("$CC" -std=c99)
as_c11=("$CC" -std=c11)
as_cpp=("$CXX" -x c++ -std=c++17)
suite=(tests/c/{main,store,tx,runs,queue,worker,aux_store,past,presets,artifacts,tables,projects,scopes,secrets,sync,call,bad_input,handles}.c)
hosts=(host_sqlite:-lsqlite3 host_unruly:-lsqlite3 host_postgres:"-I$(pg_config --includedir) -lpq")

step() { printf '\n== %s\n' "$*"; }

# A schema or a file that no other run has seen.
place=0
on() {
    local program=$1 where=$2
    shift 2
    place=$((place + 1))
    case $where in
        memory) "$@" "$program" :memory: ;;
        file) "$@" "$program" "$out/store-$BASHPID-$place.db" ;;
        postgres) "$@" "$program" "$SPRONGUS_TEST_PG_URL" "c_${BASHPID}_$place" ;;
    esac
}

# Beside the others of its step, for half of the time they wait; what it says is shown in one piece where `joined` waits for them.
lanes=()
lane() {
    "$@" >"$out/lane-${#lanes[@]}.log" 2>&1 &
    lanes+=("$!")
}
joined() {
    local lane status=0
    for lane in "${!lanes[@]}"; do
        wait "${lanes[lane]}" || { status=$?; echo "failed with $status:"; }
        cat "$out/lane-$lane.log"
    done
    lanes=()
    return $status
}

step "the library exports its symbols and nothing else, has a SONAME and stays loaded"
nm -D --defined-only "$PROFILE_DIR/libsprongus.so" | awk '{ print $3 }' | LC_ALL=C sort | diff include/sprongus.symbols -
[ -n "$soname" ]
readelf -d "$PROFILE_DIR/libsprongus.so" | grep -q NODELETE

step "the header alone, and twice, in each language and under its consumers' warnings"
fussy=(-Wconversion -Wsign-conversion -Wshadow -Wcast-qual)
fussy_c=("${fussy[@]}" -Wstrict-prototypes -Wmissing-prototypes -Wc++-compat)
fussy_cpp=("${fussy[@]}" -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual)
printf '#include <sprongus.h>\n#include <sprongus.h>\nint main(void) { return sprongus_version() == 0; }\n' >"$out/header.c"
printf '#include <sprongus.hpp>\n#include <sprongus.hpp>\nint main() { return sprongus::version().empty(); }\n' >"$out/header.cpp"
"${as_c99[@]}" "${strict[@]}" "${fussy_c[@]}" "$out/header.c" -o "$out/header" "${link[@]}"
"$out/header"
"${as_c11[@]}" "${strict[@]}" "${fussy_c[@]}" "$out/header.c" -o "$out/header" "${link[@]}"
"$out/header"
"$CXX" -x c++ -std=c++11 "${strict[@]}" "${fussy[@]}" "$out/header.c" -x none -o "$out/header" "${link[@]}"
"$out/header"
"${as_cpp[@]}" "${strict[@]}" "${fussy[@]}" "$out/header.c" -x none -o "$out/header" "${link[@]}"
"$out/header"
"${as_cpp[@]}" "${strict[@]}" "${fussy_cpp[@]}" "$out/header.cpp" -x none -o "$out/header" "${link[@]}"
"$out/header"

step "the suite as C99, C11 and C++17"
lane "${as_c99[@]}" "${strict[@]}" "${suite[@]}" -o "$out/suite-c99" "${link[@]}"
lane "${as_c11[@]}" "${strict[@]}" "${suite[@]}" -o "$out/suite-c11" "${link[@]}"
lane "${as_cpp[@]}" "${strict[@]}" "${suite[@]}" -x none -o "$out/suite-cpp" "${link[@]}"
joined
for built in c99 c11 cpp; do
    for where in memory file postgres; do lane on "$out/suite-$built" $where; done
    joined
done

step "the C++ layer"
"$CXX" -std=c++17 "${strict[@]}" tests/cpp/layer.cpp -o "$out/layer" "${link[@]}" -pthread
"$CXX" -std=c++17 "${strict[@]}" tests/cpp/host.cpp -o "$out/host_cpp" "${link[@]}" -lsqlite3
for where in memory file postgres; do lane on "$out/layer" $where; done
lane on "$out/host_cpp" file
joined

step "the host's own transaction, on SQLite and PostgreSQL"
for host in "${hosts[@]}"; do
    name=${host%%:*}
    # shellcheck disable=SC2086  # flags are words
    "${as_c11[@]}" "${strict[@]}" "tests/c/$name.c" -o "$out/$name" "${link[@]}" ${host#*:}
done
lane on "$out/host_sqlite" file
lane on "$out/host_postgres" postgres
lane "$out/host_unruly" 7
joined

step "handles taken away in use"
"${as_c11[@]}" "${strict[@]}" tests/c/threads.c -o "$out/threads" "${link[@]}" -pthread
for where in memory file postgres; do lane on "$out/threads" $where; done
joined

step "random calls"
"${as_c11[@]}" "${strict[@]}" tests/c/random_calls.c -o "$out/random_calls" "${link[@]}" -pthread
lane on "$out/random_calls" memory
for where in file postgres; do SPRONGUS_TEST_CALLS=2000 lane on "$out/random_calls" $where; done
joined

step "valgrind"
memcheck=(valgrind --quiet --child-silent-after-fork=yes --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite)
lane on "$out/suite-c11" memory "${memcheck[@]}"
lane on "$out/suite-c11" postgres "${memcheck[@]}"
lane on "$out/host_sqlite" file "${memcheck[@]}"
lane on "$out/layer" memory "${memcheck[@]}"
lane on "$out/host_cpp" file "${memcheck[@]}"
joined

step "AddressSanitizer"
asan=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
"${as_c11[@]}" "${strict[@]}" "${asan[@]}" "${suite[@]}" -o "$out/suite-asan" "${link[@]}"
"${as_c11[@]}" "${strict[@]}" "${asan[@]}" tests/c/random_calls.c -o "$out/random-asan" "${link[@]}" -pthread
"${as_c11[@]}" "${strict[@]}" "${asan[@]}" tests/c/host_unruly.c -o "$out/unruly-asan" "${link[@]}" -lsqlite3
"${as_c11[@]}" "${strict[@]}" "${asan[@]}" tests/c/threads.c -o "$out/threads-asan" "${link[@]}" -pthread
for where in memory file postgres; do lane on "$out/suite-asan" $where; done
lane on "$out/random-asan" memory
lane on "$out/threads-asan" file
lane "$out/unruly-asan" 29
joined

step "examples"
for example in examples/c/*.c; do
    name=$(basename "$example" .c)
    "${as_c99[@]}" "${strict[@]}" "$example" -o "$out/$name" "${link[@]}"
    (cd "$out" && "./$name" "example-$name.db")
done
for example in examples/cpp/*.cpp; do
    name=$(basename "$example" .cpp)-cpp
    "$CXX" -std=c++17 "${strict[@]}" "$example" -o "$out/$name" "${link[@]}"
    (cd "$out" && "./$name" "example-$name.db")
done

step "installed: pkg-config finds it, shared and static"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
PREFIX="$out/prefix" VERSION=$version BUILT=$PROFILE_DIR sprongus-ffi/install.sh
export PKG_CONFIG_PATH=$out/prefix/lib/pkgconfig
# shellcheck disable=SC2046  # flags are words
"${as_c99[@]}" examples/c/enqueue.c $(pkg-config --cflags --libs sprongus) -Wl,-rpath,"$out/prefix/lib" -o "$out/shared"
# shellcheck disable=SC2046
"${as_c99[@]}" examples/c/enqueue.c $(pkg-config --cflags sprongus) "$out/prefix/lib/libsprongus.a" -lpthread -ldl -lm -o "$out/static"
"$out/shared" "$out/installed.db"
"$out/static" "$out/installed.db"
[ "$(pkg-config --modversion sprongus)" = "$version" ]

step "installed: CMake finds it, shared and static, for C and C++"
cmake -S tests/c/cmake -B "$out/cmake" -DCMAKE_PREFIX_PATH="$out/prefix" -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" >/dev/null
cmake --build "$out/cmake" >/dev/null
for program in shared static cpp; do "$out/cmake/$program" "$out/installed.db"; done

printf '\nall C and C++ tests passed\n'
