#!/usr/bin/env bash
# Runs PostgreSQL 15's own regression suite twice, straight to a server and through pgfig, and compares what psql
# printed, file by file. Not compared with the expected files: what matters is that the proxy changes nothing.
# docs/regression-suite.md tells more.
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RESULTS=${PGFIG_REGRESS_RESULTS:-$REPO/build/regress}
SECONDS_PER_FILE=${PGFIG_REGRESS_SECONDS:-180}
CACHE=${PGFIG_REGRESS_CACHE:-$REPO/build/regress-source}
# shellcheck source=test/regress/source.sh
source "$REPO/test/regress/source.sh"
# shellcheck source=test/regress/servers.sh
source "$REPO/test/regress/servers.sh"

usage() {
  cat <<'END'
usage: test/regress/run.sh [--self] [--reuse-direct] [--allow N] [TEST...]

  TEST...         run only these tests of the suite, after test_setup
  --self          compare two direct runs: which files differ all by themselves
  --reuse-direct  keep the direct run of last time (same tests), run only through pgfig
  --allow N       up to N differing files are no failure (default 0)

Exit codes: 0 alike, 1 some files differ, 3 the suite could not be run.
END
}

SELF=no REUSE=no ALLOW=0 TESTS=()
while [ $# -gt 0 ]; do
  case $1 in
    --self) SELF=yes ;;
    --reuse-direct) REUSE=yes ;;
    --allow) ALLOW=${2:?--allow needs a number} && shift ;;
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 2 ;;
    *) TESTS+=("$1") ;;
  esac
  shift
done

# An error on the way is not a verdict: it gets an exit code of its own.
cleanup() {
  local code=$?
  set +e
  stop_proxy
  stop_server
  as_server_user rm -rf "$WORK" 2>/dev/null
  rm -rf "$WORK"
  if [ "$code" != 0 ] && [ "$code" != 130 ] && [ -z "$DIFFERING" ]; then code=3; fi
  exit "$code"
}

# A folder that root and the server's user can both enter: neither the repository nor $HOME need be one.
open_work_folder() {
  WORK=$(mktemp -d /tmp/pgfig-regress.XXXXXX)
  trap cleanup EXIT
  trap 'exit 130' INT TERM
  chmod 755 "$WORK"
  cp -r "$SUITE" "$WORK/suite"
  cp -r "$CACHE/lib" "$WORK/lib"
  mkdir "$WORK/out" "$WORK/client"
  cp -L "$CLIENT_BIN/psql" "$WORK/client/psql.real"
  # A hang is a difference, not the end of the run.
  printf '#!/bin/sh\nexec timeout --foreground -k 5 %s "%s" "$@"\n' "$SECONDS_PER_FILE" "$WORK/client/psql.real" >"$WORK/client/psql"
  chmod +x "$WORK/client/psql"
  chmod -R a+rX "$WORK"
  if [ "$(id -u)" = 0 ]; then chown postgres "$WORK" "$WORK/out"; fi
}

# The suite's own order, one test at a time: in parallel, tests see each other's relations and locks, and the
# order of rows and the plans change from run to run.
regress_arguments() {
  if [ ${#TESTS[@]} -gt 0 ]; then
    printf '%s\n' test_setup "${TESTS[@]}" | awk '!seen[$0]++'
  else
    printf '%s\n' --schedule=parallel_schedule --max-connections=1
  fi
}

# run_suite NAME PORT: what psql printed goes to $RESULTS/NAME. That tests "fail" means nothing here.
run_suite() {
  local name=$1 port=$2 arguments began=$SECONDS
  mapfile -t arguments < <(regress_arguments)
  rm -rf "${RESULTS:?}/$name"
  (
    cd "$WORK/suite"
    as_server_user env -u PGDATABASE -u PGSSLMODE PGTZ=PST8PDT "$PG_REGRESS" \
      --use-existing --dbname=regression --host=127.0.0.1 --port="$port" --user=postgres --no-locale \
      --bindir="$WORK/client" --dlpath="$WORK/lib" --inputdir=. --outputdir="$WORK/out" "${arguments[@]}"
  ) >"$RESULTS/$name.log" 2>&1 || true
  if [ -z "$(ls "$WORK/out/results" 2>/dev/null)" ]; then
    tail -n 20 "$RESULTS/$name.log" >&2
    return 1
  fi
  mkdir "$RESULTS/$name"
  cp "$WORK"/out/results/*.out "$RESULTS/$name/"
  cp "$WORK/data/server.log" "$RESULTS/$name.server.log"
  as_server_user rm -rf "$WORK/out/results" "$WORK/out/regression.diffs" "$WORK/out/regression.out"
  echo "$name: $(grep -cE '\.\.\. +ok' "$RESULTS/$name.log" || true) of $(find "$RESULTS/$name" -name '*.out' | wc -l)" \
    "files as PostgreSQL expects them, $((SECONDS - began)) s"
}

run_direct() {
  PG_PORT=$(free_port)
  start_server
  run_suite "$1" "$PG_PORT"
  stop_server
}

run_proxied() {
  PG_PORT=$(free_port)
  start_server
  start_proxy
  run_suite proxied "$PROXY_PORT"
  stop_proxy
  stop_server
}

# compare A B: prints the verdict, leaves the diff in $RESULTS/A-B.diff, sets DIFFERING.
compare() {
  local name diff="$RESULTS/$1-$2.diff" total=0 names=()
  : >"$diff"
  for name in $(cd "$RESULTS" && find "$1" "$2" -name '*.out' -printf '%f\n' | sort -u); do
    total=$((total + 1))
    if ! diff -a -u -N --label "$1/$name" --label "$2/$name" "$RESULTS/$1/$name" "$RESULTS/$2/$name" >>"$diff"; then
      names+=("${name%.out}")
    fi
  done
  DIFFERING=${#names[@]}
  [ "$DIFFERING" -gt 0 ] && head -n "${PGFIG_REGRESS_LINES:-200}" "$diff"
  echo "$DIFFERING of $total files differ${names[*]:+: ${names[*]}}"
  [ "$DIFFERING" -eq 0 ] || echo "whole diff: $diff"
}

main() {
  mkdir -p "$RESULTS"
  prepare_suite
  open_work_folder
  if [ "$REUSE" = no ] || [ ! -d "$RESULTS/direct" ]; then run_direct direct; fi
  if [ "$SELF" = yes ]; then
    run_direct direct-again
    compare direct direct-again
  else
    run_proxied
    compare direct proxied
  fi
  [ "$DIFFERING" -le "$ALLOW" ]
}

DIFFERING=
main
