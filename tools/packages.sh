# Sourced by ./quickstart and ./check: the Debian packages, and how to get them.

build_packages=(gcc libc6-dev make autoconf automake libtool pkg-config
                libopenmpi-dev openmpi-bin libhwloc-dev libhdf5-dev libpng-dev
                libopenblas-dev libxxhash-dev uthash-dev libcunit1-dev
                gmt-gshhg-low)

# Prints those that are not installed.
missing_packages()
{
    local installed package
    installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package} ' "$@" \
        2>/dev/null || true)"
    for package in "$@"; do
        [[ $installed == *" ii $package "* || $installed == *" hi $package "* ]] ||
            echo "$package"
    done
}

# Installs those that are missing.  Where that cannot be done it says which they
# are and returns: configure finds libraries that came another way, and names
# what it does not find.
install_packages()
{
    local missing=() sudo=()
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "no apt-get here; wanted, by their Debian names: $*"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "not root and no sudo; not installed: ${missing[*]}"
            return
        fi
        sudo=(sudo)
    fi
    echo "installing: ${missing[*]}"
    "${sudo[@]}" apt-get -q update &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q install -y --no-install-recommends "${missing[@]}" ||
        echo "apt-get failed; going on without"
}
