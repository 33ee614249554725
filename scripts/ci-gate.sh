#!/usr/bin/env bash
# The gate for a build machine: base and head in one job on one machine, taking turns. Copy it, or call it:
#
#   scripts/ci-gate.sh [--base REV] [--head REV] [further options of bench gate]
#
# Without --base the head (HEAD if none is given) is compared with where it left the branch that it will be merged into
# (GITHUB_BASE_REF, else main). Standard output is the table; a GitHub job summary gets it too, and gate-junit.xml is
# written for the others.
# Exit 0: nothing slower. 1: something is. 2: it could not be judged, for instance because this machine was never
# calibrated; "scripts/ci-gate.sh --calibrate" does that (three to four hours), once per kind of machine. 64: wrong use,
# such as a revision that does not exist. 130: stopped by Ctrl-C.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Not 1, which says that something is slower.
die() { say "$(basename "$0"): $*"; exit 2; }

need git=git
need_dotnet
need_node
say "building bench"
(cd "$repository" && dotnet build bench/Bench -c Release -v quiet --nologo >&2) || die "the build failed"
program=$(cd "$repository" && dotnet msbuild bench/Bench -getProperty:TargetPath -p:Configuration=Release)

if [ "${1:-}" = --calibrate ]; then
    shift
    exec dotnet "$program" calibrate "$@"
fi

arguments=("$@")
case " $* " in
    *" --junit"*) ;;
    *) arguments=(--junit gate-junit.xml "${arguments[@]}") ;;
esac
case " $* " in
    *" --base"*) ;;
    *)
        head=
        while [ $# -gt 0 ]; do
            case $1 in
                --head) head=${2:-} ;;
                --head=* | --head:*) head=${1#--head?} ;;
            esac
            shift
        done
        if [ -z "$head" ]; then
            head=HEAD
            arguments=(--head HEAD "${arguments[@]}")
        fi
        # A folder is a head too, with what is not committed there.
        folder=. revision=$head
        if [ -d "$head" ]; then folder=$head revision=HEAD; fi
        git -C "$folder" rev-parse --verify --quiet "$revision^{commit}" >/dev/null ||
            { say "--head $head is no revision here; to compare with anything else give --base too"; exit 64; }
        target=${GITHUB_BASE_REF:+origin/$GITHUB_BASE_REF}
        target=${target:-main}
        base=$(git -C "$folder" merge-base "$revision" "$target") ||
            die "there is no commit here from which both $head and $target come: give --base, and check out with the history (fetch-depth: 0)"
        arguments=(--base "$base" "${arguments[@]}")
        ;;
esac
exec dotnet "$program" gate "${arguments[@]}"
