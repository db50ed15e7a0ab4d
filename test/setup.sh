#!/bin/sh
# Installs what the tests need beyond Node.js: Debian packages of the test peers, then the npm packages.
# Nothing is installed that is already there. The tests run servers of their own on free ports.
set -eu
cd "$(dirname "$0")/.."

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need sipp sip-tester
need baresip baresip-core
need redis-server redis-server
need openssl openssl
need flac flac
need sox sox
need multimon-ng multimon-ng
need opusdec opus-tools
need tshark tshark
need kamailio kamailio
need rtpengine rtpengine-daemon
# What @discordjs/opus is compiled with, where no ready-made binary of it can be had.
need python3 python3
need make make
need g++ g++

if [ -n "$missing" ]; then
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then as_root="sudo"; fi
  # RUNLEVEL=1 asks packages that come with a service not to start it; one that is started all the same is not used.
  $as_root apt-get update -q
  # shellcheck disable=SC2086 # a list of packages
  $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends $missing
fi

# Headers that lie beside Node need not be fetched for that; without them and without a network, Opus is left out.
beside=$(dirname "$(dirname "$(node -p process.execPath)")")
if [ -f "$beside/include/node/node_api.h" ]; then export npm_package_config_node_gyp_nodedir="$beside"; fi

npm ci
