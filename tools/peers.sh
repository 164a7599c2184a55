#!/bin/sh
# Installs the real programs that the tests talk to. For Debian, as root; harmless to run again. Starts no service.
set -eu
cd "$(dirname "$0")/.."
packages='
  rclone
  nginx-light
  caddy
  apache2
  apache2-utils
  curl
  openssl
  nghttp2-client
  wrk
  ffmpeg
  chromium
  unzip
  python3-minimal
  icecast2
  libshout-tools
  swift-proxy
  swift-account
  swift-container
  swift-object
  memcached
  openssh-client
  openssh-server
  proftpd-core
  proftpd-mod-crypto
  python3-pyftpdlib
  strace
  faketime
'
missing=''
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done

# Programs that come from npm: kept apart from what the project itself is made of.
installed=tools/peers/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ tools/peers/package-lock.json -nt "$installed" ]; then
  (cd tools/peers && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
fi
[ -z "$missing" ] && exit 0
echo "installing test peers:$missing"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get update -qq >/dev/null
# shellcheck disable=SC2086 -- a list of names
apt-get install -y -qq --no-install-recommends $missing >/dev/null
