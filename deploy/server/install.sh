#!/usr/bin/env bash
# Run by GameLift once on each instance of a managed EC2 fleet, in the folder of the build (/local/game), before any server starts.
# When it fails the fleet does not become active, and what it printed is in the fleet's events.
set -euo pipefail
cd "$(dirname "$0")"

# A zip made on Windows, or by some tools, forgets the bit.
chmod 0755 sample-server
# The certificate's key is nobody else's business.
chmod 0600 certs/key.pem

# A binary linked against a newer glibc than Amazon Linux 2023's (2.34) dies at its first step. Better here, with a reason, than as
# a fleet that never gets a healthy process.
if ! said=$(./sample-server --version 2>&1); then
    printf 'install.sh: sample-server does not run on this system: %s\n' "$said" >&2
    exit 1
fi
printf 'install.sh: %s\n' "$said"

# A burst of snapshots to every player must not overflow the socket. The server asks for larger buffers than Linux allows by
# default; without them it still works, so a refusal is told and no failure.
for setting in net.core.rmem_max=7500000 net.core.wmem_max=7500000; do
    if ! sudo --non-interactive sysctl --quiet --write "$setting"; then
        printf 'install.sh: could not set %s; packets may be lost under load\n' "$setting" >&2
    fi
done
