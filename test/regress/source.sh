# shellcheck shell=bash
# PostgreSQL's regression suite, as Debian's source package holds it. Sourced by run.sh.

PG_BIN=${PG_BIN:-/usr/lib/postgresql/15/bin}
PG_PACKAGE=postgresql-15

# apt with folders of its own: nothing of the machine's package state is touched, and no root is needed.
private_apt() {
  local tool=$1 apt="$CACHE/apt"
  shift
  "$tool" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User= "$@"
}

# Reads the lists of the machine's own package mirrors, of sources and of binaries.
refresh_lists() {
  local apt="$CACHE/apt" file
  mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/archives/partial"
  rm -f "$apt"/parts/*
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && sed -E 's/^Types:.*/Types: deb deb-src/' "$file" >"$apt/parts/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] || continue
    sed -nE 's/^deb(-src)?[[:space:]]+(.*)/deb \2\ndeb-src \2/p' "$file" | sort -u >"$apt/parts/one-line-$(basename "$file" .list).list"
  done
  private_apt apt-get -qq update || true
}

# Downloads and unpacks the newest version that a mirror still has: a mirror drops a superseded or not yet
# synchronised source package sooner than the index that names it.
download_source() {
  local version
  refresh_lists
  for version in $(private_apt apt-cache showsrc "$PG_PACKAGE" | sed -n 's/^Version: //p' | sort -Vru); do
    echo "fetching the source of $PG_PACKAGE $version"
    if (cd "$CACHE" && private_apt apt-get -qq source "$PG_PACKAGE=$version" >"$CACHE/apt/source.log" 2>&1); then
      return 0
    fi
    tail -n 2 "$CACHE/apt/source.log" >&2
  done
  echo "no source of $PG_PACKAGE could be fetched: has the machine a package mirror of Debian or PGDG?" >&2
  return 1
}

# regress.so holds the C functions of the tests; Debian's pg_regress comes without it. autoinc and refint are
# extensions of the server package that triggers.sql loads from the same folder.
build_libraries() {
  local lib pgxs
  mkdir -p "$CACHE/lib"
  [ -e "$CACHE/lib/regress.so" ] && return 0
  cp "$SUITE/regress.c" "$CACHE/lib/"
  pgxs=$("$PG_BIN/pg_config" --pgxs)
  make -s -C "$CACHE/lib" -f "$pgxs" PGXS="$pgxs" PG_CONFIG="$PG_BIN/pg_config" MODULES=regress with_llvm=no \
    PG_CPPFLAGS="-I$SUITE" regress.so
  for lib in autoinc refint; do
    cp "$("$PG_BIN/pg_config" --pkglibdir)/$lib.so" "$CACHE/lib/"
  done
}

# psql's answers belong to its minor version: 15.19 and later skip the inline data of a COPY that failed, and take
# half of an older suite's file for such data. So the psql that runs the suite comes from the suite's own version.
matching_client() {
  local version
  version=$(basename "$(dirname "$(dirname "$(dirname "$SUITE")")")")
  version=${version#"$PG_PACKAGE"-}
  CLIENT_BIN=$PG_BIN
  case $("$PG_BIN/psql" --version) in *" $version "*) return 0 ;; esac
  CLIENT_BIN=$CACHE/client/$PG_BIN
  [ -x "$CLIENT_BIN/psql" ] && return 0
  refresh_lists
  version=$(private_apt apt-cache showsrc "$PG_PACKAGE" | sed -n "s/^Version: \($version-.*\)/\1/p" | head -n 1)
  (cd "$CACHE" && private_apt apt-get -qq download "postgresql-client-15=$version" && dpkg-deb -x postgresql-client-15_*.deb client)
}

# Sets SUITE (folder with sql/, expected/, data/, parallel_schedule), PG_REGRESS (the program) and CLIENT_BIN
# (folder of the psql to use).
prepare_suite() {
  mkdir -p "$CACHE"
  SUITE=$(find "$CACHE" -maxdepth 4 -path '*/src/test/regress' -type d | head -n 1)
  if [ -z "$SUITE" ]; then
    download_source
    SUITE=$(find "$CACHE" -maxdepth 4 -path '*/src/test/regress' -type d | head -n 1)
  fi
  PG_REGRESS=$(dirname "$("$PG_BIN/pg_config" --pgxs)")/../test/regress/pg_regress
  [ -x "$PG_REGRESS" ] || { echo "pg_regress is missing: install postgresql-server-dev-15" >&2; return 1; }
  build_libraries
  matching_client
}
