#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER of `cargo xtask fuzz`: our own crates are compiled so that libFuzzer sees which branches an input takes. Those of others
# are taken as every build has them, so that nothing of theirs is compiled twice. The options are stable ones (`-C`).
rustc=$1
shift
case " $* " in
  # A program of the build, which is linked without libFuzzer.
  *" --crate-name build_script_"*) exec "$rustc" "$@" ;;
esac
exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
