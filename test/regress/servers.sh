# shellcheck shell=bash
# A throw-away PostgreSQL server and the proxy before it. Sourced by run.sh.

# PostgreSQL refuses to run as root, so root hands over to the user that Debian's package made for it.
as_server_user() {
  if [ "$(id -u)" = 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# The settings that pg_regress gives to a server of its own, and those that make two runs alike: nothing in the
# background may change a plan or a count.
server_settings() {
  cat <<END
listen_addresses = '127.0.0.1'
port = $PG_PORT
unix_socket_directories = ''
max_connections = 60
max_prepared_transactions = 2
log_lock_waits = on
log_line_prefix = '%m %b[%p] %q%a '
autovacuum = off
fsync = off
END
}

# Starts a fresh cluster in $WORK/data on PG_PORT, with the database that pg_regress would make.
start_server() {
  as_server_user rm -rf "$WORK/data"
  as_server_user "$PG_BIN/initdb" -D "$WORK/data" -U postgres -A trust --no-sync --no-locale -E SQL_ASCII >"$WORK/initdb.log"
  server_settings | as_server_user tee -a "$WORK/data/postgresql.conf" >/dev/null
  as_server_user "$PG_BIN/pg_ctl" -D "$WORK/data" -w -s -l "$WORK/data/server.log" start
  "$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres postgres <<END
CREATE DATABASE regression TEMPLATE = template0;
ALTER DATABASE regression SET lc_messages TO 'C';
ALTER DATABASE regression SET lc_monetary TO 'C';
ALTER DATABASE regression SET lc_numeric TO 'C';
ALTER DATABASE regression SET lc_time TO 'C';
ALTER DATABASE regression SET bytea_output TO 'hex';
ALTER DATABASE regression SET timezone_abbreviations TO 'Default';
END
}

stop_server() {
  if [ -e "$WORK/data/postmaster.pid" ]; then
    as_server_user "$PG_BIN/pg_ctl" -D "$WORK/data" -s -m immediate stop || true
  fi
}

proxy_config() {
  cat <<END
listen: { host: 127.0.0.1, port: $PROXY_PORT }
admin: { host: 127.0.0.1, port: $ADMIN_PORT }
databases:
  monolith: { url: "postgres://127.0.0.1:$PG_PORT/regression" }
default: monolith
rules: routing-rules
auth: { method: trust }
control: { url: "postgres://postgres@127.0.0.1:$PG_PORT/regression" }
END
}

# Starts pgfig with no rule at all: every statement is parsed and routed, and every one goes to the monolith.
start_proxy() {
  PROXY_PORT=$(free_port)
  ADMIN_PORT=$(free_port)
  mkdir -p "$WORK/routing-rules"
  proxy_config >"$WORK/pgfig.yaml"
  node "$REPO/build/src/main/pgfig.js" serve --config "$WORK/pgfig.yaml" >"$RESULTS/pgfig.log" 2>&1 &
  PROXY_PID=$!
  local tries
  for tries in $(seq 1 150); do
    if "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PROXY_PORT"; then return 0; fi
    kill -0 "$PROXY_PID" 2>/dev/null || break
    sleep 0.2
  done
  echo "pgfig did not come up after $tries tries:" >&2
  tail -n 20 "$RESULTS/pgfig.log" >&2
  return 1
}

stop_proxy() {
  [ -n "${PROXY_PID:-}" ] || return 0
  kill "$PROXY_PID" 2>/dev/null || true
  wait "$PROXY_PID" 2>/dev/null || true
  PROXY_PID=
}
