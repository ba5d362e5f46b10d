# How `run` and `gpu` measure: every program in a process of its own, and what it prints as a cell of their tables.
# Sourced in the repository's root by who defines `within`, which runs a command.
readonly threads="${APRM_THREADS:-2}" python="${PYTHON:-python}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" CARGO_TERM_COLOR=never RAYON_NUM_THREADS="$threads" PYTHONUTF8=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs a program into the log; if it fails, prints how.
attempt() {
    local status=0
    within "$@" >"$log" 2>&1 || status=$?
    [ "$status" != 0 ] || return 0
    tail -n 20 "$log" >&2
    case $status in
        124) echo 'too slow' ;;
        125) echo 'no time left' ;;
        *) echo failed ;;
    esac
    return 1
}

# What a program measured: of 'b burn: 1234 ms, 98 GFLOP/s, 567 MiB at most' the cell '1234 ms, 567 MiB', and the same of a
# row of `gpu_step`.
measure() {
    attempt "$@" || return 0
    local cell
    cell=$(sed -nE -e 's/^[^:|]*: ([^,]+),.* ([0-9?]+ MiB) at most$/\1, \2/p' \
        -e 's/^\| [a-z]+ \| [0-9]+ \| [0-9]+ \| ([0-9.]+) .* ([0-9]+) \|$/\1 ms, \2 MiB/p' "$log")
    grep -E ' MiB at most$|^\| [a-z]+ \| [0-9]' "$log" >&2 || tail -n 20 "$log" >&2
    echo "${cell:-failed}"
}

# Always of the same packages, or what they share is built for each choice of them.
readonly bench=(cargo bench --quiet --locked -p aprm-wgpu -p aprm-models)

aprm() { measure "${bench[@]}" --bench "$@"; }

if "$python" -c 'import torch, transformers' 2>/dev/null; then has_pytorch=true; else has_pytorch=false; fi

pytorch() { if $has_pytorch; then measure "$python" "$@"; else echo 'not installed'; fi; }

# A program of this package, with a feature: `build FEATURE PROGRAM`.
build() {
    within cargo build --quiet --release --locked --manifest-path benches/peers/Cargo.toml --features "$1" --bin "$2" >&2
}
