#!/usr/bin/env bash
# The gate for a build machine: base and head in one job on one machine, taking turns. Copy it, or call it:
#
#   scripts/ci-gate.sh [--base REV] [--head REV] [further options of bench gate]
#
# Without --base it compares with where this branch left the branch that it will be merged into (GITHUB_BASE_REF, else
# main). Standard output is the table; a GitHub job summary gets it too, and gate-junit.xml is written for the others.
# Exit 0: nothing slower. 1: something is. 2: it could not be judged, for instance because this machine was never
# calibrated; "scripts/ci-gate.sh --calibrate" does that (two or three hours), once per kind of machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need git=git
need_dotnet
need_node
say "building bench"
(cd "$repository" && dotnet build bench/Bench -c Release -v quiet --nologo >&2) || { say "the build failed"; exit 2; }
program=$(cd "$repository" && dotnet msbuild bench/Bench -getProperty:TargetPath -p:Configuration=Release)

if [ "${1:-}" = --calibrate ]; then
    shift
    exec dotnet "$program" calibrate "$@"
fi

arguments=("$@")
case " $* " in
    *" --base"*) ;;
    *)
        target=${GITHUB_BASE_REF:+origin/$GITHUB_BASE_REF}
        base=$(git merge-base HEAD "${target:-main}") || { say "there is no ${target:-main} here: give --base, and check out with its history (fetch-depth: 0)"; exit 2; }
        arguments=(--base "$base" --head HEAD "${arguments[@]}")
        ;;
esac
exec dotnet "$program" gate --junit gate-junit.xml "${arguments[@]}"
