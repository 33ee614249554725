# Shared by the scripts of this folder: what a machine needs, and how it is installed. Sourced, never run.
# shellcheck shell=bash

# Debian keeps mkfs, losetup and mount's relatives where the PATH of an ordinary user does not look.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Build nodes that stay behind hold this script's standard output open, and a pipe after it never ends.
export MSBUILDDISABLENODEREUSE=1

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, through sudo if need be. Asks for a password only where somebody can type one.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif has sudo && sudo -n true 2>/dev/null; then sudo "$@"
    elif has sudo && [ -t 0 ] && [ -z "${CI:-}" ]; then sudo "$@"
    else return 1
    fi
}

apt_updated=no
apt_refresh() {
    [ "$apt_updated" = no ] || return 0
    apt_updated=yes
    as_root apt-get update -q >&2 || say "apt-get update failed; going on with the package lists that are here"
}

apt_install() {
    has apt-get || die "needs $*, and there is no apt-get here: install them and run this again"
    apt_refresh
    say "installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2 ||
        die "could not install $*: as root, run 'apt-get install $*', then run this again"
}

# need COMMAND=PACKAGE...: installs in one go the packages of the commands that are missing.
need() {
    local pair missing=()
    for pair in "$@"; do
        has "${pair%%=*}" || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

# The server's programs; Debian keeps them beside no PATH. Its package starts a server of its own, which nobody needs here:
# the tests start theirs.
need_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has initdb || apt_install postgresql
    need setpriv=util-linux
}

# The SDK that global.json asks for answers; any other, or none, fails.
has_dotnet() { has dotnet && (cd "$repository" && dotnet --version) >/dev/null 2>&1; }

need_dotnet() {
    # The runtime does not even say its version without ICU, from which it takes languages and number formats; package
    # downloads want OpenSSL and the certificates.
    if ! ldconfig -p | grep -q 'libicuuc\.so\.'; then
        local icu
        has apt-get || die "needs the ICU library (libicu), and there is no apt-get here: install it and run this again"
        apt_refresh
        icu=$(apt-cache search --names-only '^libicu[0-9]+$' | awk '{ print $1 }' | sort -V | tail -n 1)
        apt_install "${icu:-libicu-dev}"
    fi
    need openssl=openssl
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki ] || apt_install ca-certificates
    # Unset under cron and systemd.
    : "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
    export HOME
    if [ -x "$HOME/.dotnet/dotnet" ] && ! has_dotnet; then
        export DOTNET_ROOT="$HOME/.dotnet" PATH="$HOME/.dotnet:$PATH"
    fi
    if ! has_dotnet && has apt-get; then
        apt_refresh
        if apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then apt_install dotnet-sdk-10.0; fi
    fi
    # Microsoft's own installer, into the home folder and without root. Not over a dotnet that is there: whoever
    # installed an older one decides how it becomes newer.
    if ! has dotnet; then
        need curl=curl
        local script
        script=$(mktemp)
        say "installing the .NET 10 SDK into $HOME/.dotnet with https://dot.net/v1/dotnet-install.sh"
        if curl -fsSL --retry 3 -o "$script" https://dot.net/v1/dotnet-install.sh &&
            bash "$script" --channel 10.0 --install-dir "$HOME/.dotnet" >&2; then
            export DOTNET_ROOT="$HOME/.dotnet" PATH="$HOME/.dotnet:$PATH"
        fi
        rm -f "$script"
    fi
    has_dotnet || die "needs the .NET SDK 10.0.100 or later (found: $(dotnet --list-sdks 2>/dev/null | tr '\n' ' ')).
Install it with 'apt-get install dotnet-sdk-10.0' where the distribution has it, or as https://dot.net says, then run this again."
}

# The report's page is bundled with npm when the project is built.
need_node() {
    need node=nodejs npm=npm
    local major
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "$major" -ge 18 ] || die "needs Node.js 18 or later; $(command -v node) is $(node --version)"
}
