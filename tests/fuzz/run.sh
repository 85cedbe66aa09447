#!/bin/sh
# Fuzzes every target, or those that are named, each for FUZZ_SECONDS (20); a line each. Ends with 1 when something was
# found; the input that did it is kept in target/fuzzing/found/. What was learned stays in target/fuzzing/corpus/.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$top/target/fuzzing
seconds=${FUZZ_SECONDS:-20}
target=$(rustc -vV | sed -n 's/^host: //p')

# libFuzzer learns which branches an input took by counters that the stable compiler puts in. With --target they
# reach neither build scripts nor macros, and no other build.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
    "${CARGO:-cargo}" build --locked --manifest-path "$top/Cargo.toml" --target "$target" --profile fuzz \
    -p muster-fuzz --features libfuzzer
program=$top/target/$target/fuzz/muster-fuzz

mkdir -p "$out/found"
[ $# -gt 0 ] || set -- $(ls "$top/tests/fuzz/corpus")
# Stacks as small as those of the programs' threads.
ulimit -s 2048
status=0
for name in "$@"; do
    seeds=$top/tests/fuzz/corpus/$name
    [ "$name" != repository ] || seeds="$seeds $top/reconciler/tests/faulty"
    mkdir -p "$out/corpus/$name"
    log=$out/$name.log
    current=$out/$name.current
    # Lengths grow from small ones only where nothing new is found; 64 KiB suffice for every loop and table.
    if MUSTER_FUZZ_TARGET=$name MUSTER_FUZZ_CURRENT=$current "$program" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -artifact_prefix="$out/found/$name-" \
        "$out/corpus/$name" $seeds >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        printf '%-16s ok     %s inputs, %s in the corpus\n' "$name" "$runs" "$(ls "$out/corpus/$name" | wc -l)"
    else
        status=1
        found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
        if [ -z "$found" ]; then
            found=$out/found/$name-current
            cp "$current" "$found"
        fi
        why=$(grep -m1 -E '^FOUND|^==.*ERROR: libFuzzer' "$log" || tail -1 "$log")
        printf '%-16s FOUND  %s\n%-16s        %s\n' "$name" "$why" "" "$found"
    fi
done
exit $status
