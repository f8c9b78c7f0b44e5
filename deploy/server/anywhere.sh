#!/usr/bin/env bash
# Keeps one game server running on a machine of yours that is a compute of an Anywhere fleet: registers the machine, and before each
# run of the server gets it a token that is still good. A server hosts one game session and exits, so this is the restart policy too.
#
#   FLEET_ID=fleet-... LOCATION=custom-home IP_ADDRESS=203.0.113.7 ./anywhere.sh ./sample-server run --listen 0.0.0.0:7777
#
# Needs the AWS CLI, with credentials that may do what AnywherePolicy in template.yaml lists. Several of these may run at once on one
# machine, each with a port of its own: they share the compute. systemd's unit for it is gamelift-server@.service.
set -euo pipefail

: "${FLEET_ID:?the Anywhere fleet: output FleetId of the stack}"
: "${LOCATION:?the custom location: output LocationName of the stack}"
: "${IP_ADDRESS:?the address at which players reach this machine}"
# GameLift takes letters, digits and hyphens.
COMPUTE_NAME=${COMPUTE_NAME:-$(hostname | tr -c 'A-Za-z0-9\n' - | cut -c 1-128)}
if [ $# -eq 0 ]; then
    echo "anywhere.sh: which server? Give its command line" >&2
    exit 64
fi

# A running server is handed fresh tokens by GameLift itself; this one is only for connecting. One that would end within this many
# seconds is not begun with.
readonly TOKEN_MARGIN_SECONDS=300
# A server that ends sooner than this has failed to start: the pause doubles, so that neither GameLift nor the log is flooded.
readonly HEALTHY_SECONDS=10
readonly PAUSE_FIRST_SECONDS=1
readonly PAUSE_MAX_SECONDS=60

say() { printf 'anywhere.sh: %s\n' "$*" >&2; }

gamelift() { aws gamelift "$@" --fleet-id "$FLEET_ID" --compute-name "$COMPUTE_NAME"; }

# Registering again what is there already is refused with a conflict, which is what we want to know.
register() {
    local answer
    if answer=$(gamelift register-compute --location "$LOCATION" --ip-address "$IP_ADDRESS" \
        --query Compute.GameLiftServiceSdkEndpoint --output text 2>&1); then
        say "registered $COMPUTE_NAME in $LOCATION"
        endpoint=$answer
    elif [[ $answer == *ConflictException* ]]; then
        # Another copy has done it, or an earlier run.
        endpoint=$(gamelift describe-compute --query Compute.GameLiftServiceSdkEndpoint --output text)
    else
        say "cannot register $COMPUTE_NAME: $answer"
        return 1
    fi
}

# Sets token and token_until. The token is a secret: it goes into the server's environment and nowhere else.
refresh_token() {
    local answer expires
    if ! answer=$(gamelift get-compute-auth-token --query '[AuthToken, ExpirationTimestamp]' --output text 2>&1); then
        say "cannot get a token: $answer"
        return 1
    fi
    read -r token expires <<<"$answer"
    # Seconds since 1970 by one version of the CLI, a date by another.
    token_until=$(date --date="$expires" +%s 2>/dev/null || printf '%.0f' "$expires")
}

child=
stopping=
told=
# The server lets its players finish, and ends by itself. It is told once, whoever of us two comes first: the second time it takes
# as "at once".
tell() {
    # Of zero: in a trap a bare `return` gives the status of what the trap came upon.
    if [ -z "$child" ] || [ -n "$told" ]; then return 0; fi
    told=yes
    kill -TERM "$child" 2>/dev/null || true
}
stop() {
    # Somebody is impatient.
    if [ -n "$stopping" ]; then told=; fi
    stopping=yes
    tell
}
trap stop TERM INT

# The server in the background, so that a signal is handled while it runs and not after; in a session of its own, so that a Ctrl-C
# reaches it once, through us. The machine's AWS credentials are none of its business.
run_server() {
    GAMELIFT_SDK_WEBSOCKET_URL=$endpoint GAMELIFT_SDK_FLEET_ID=$FLEET_ID GAMELIFT_SDK_HOST_ID=$COMPUTE_NAME \
        GAMELIFT_SDK_AUTH_TOKEN=$token GAMELIFT_SDK_PROCESS_ID=ManagedResource \
        setsid env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN "$@" &
    child=$!
    # The signal may have come while the AWS CLI was running.
    if [ -n "$stopping" ]; then tell; fi
    local code=0
    # A trapped signal ends `wait` early; the server may still have players.
    while true; do
        wait "$child" && code=0 || code=$?
        kill -0 "$child" 2>/dev/null || break
    done
    child=
    return "$code"
}

pause=$PAUSE_FIRST_SECONDS
rest() {
    say "again in $pause s"
    sleep "$pause" &
    local nap=$!
    wait "$nap" || kill "$nap" 2>/dev/null || true
    pause=$((pause * 2 > PAUSE_MAX_SECONDS ? PAUSE_MAX_SECONDS : pause * 2))
}

endpoint=
token=
token_until=0
while [ -z "$stopping" ]; do
    if [ -z "$endpoint" ] && ! register; then
        rest
        continue
    fi
    if [ "$(date +%s)" -ge $((token_until - TOKEN_MARGIN_SECONDS)) ] && ! refresh_token; then
        # The compute may have been deregistered meanwhile.
        endpoint=
        rest
        continue
    fi
    if [ -n "$stopping" ]; then break; fi
    began=$(date +%s)
    code=0
    run_server "$@" || code=$?
    say "the server ended with $code"
    if [ "$code" -eq 0 ] || [ $(($(date +%s) - began)) -ge "$HEALTHY_SECONDS" ]; then
        pause=$PAUSE_FIRST_SECONDS
    elif [ -z "$stopping" ]; then
        # Perhaps the token was refused.
        token_until=0
        rest
    fi
done
