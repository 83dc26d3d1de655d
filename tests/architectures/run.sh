#!/usr/bin/env bash
# Shows that another architecture has the same bits, under emulation: makes a small Debian of it
# once, installs the package there, and compares what it samples with what this machine samples.
#
#   tests/architectures/run.sh arm64 FOLDER [PYTHON [check_bits.py's arguments]]
#
# FOLDER keeps the Debian and its compiled kernels, about 1 GB, for the next run. PYTHON has
# the group dev. Needs root, and Debian's debootstrap, qemu-user-static and binfmt-support. Programs
# come from the mirror that debootstrap knows ($MIRROR for another), packages by this machine's pip.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin

architecture=${1:?arm64}
folder=${2:?a folder}
python=${3:-.venv/bin/python}
# Other architectures have no wheels of numba, without which nothing is sampled.
declare -A machines=([arm64]=aarch64)
machine=${machines[$architecture]:?"$architecture is not known here, arm64 is"}
suite=bookworm
python_version=3.11

# Once more, with mounts that nobody else sees and that end with this run.
if [[ -z ${HAS_OWN_MOUNTS:-} ]]; then
  for program in debootstrap "qemu-$machine-static" update-binfmts; do
    if ! command -v "$program" >/dev/null; then
      echo "run.sh: $program is missing: the head of this file names its package" >&2
      exit 2
    fi
  done
  HAS_OWN_MOUNTS=1 exec unshare --mount --propagation private tests/architectures/run.sh "$@"
fi

[[ -e /proc/sys/fs/binfmt_misc/status ]] ||
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
[[ -e /proc/sys/fs/binfmt_misc/qemu-$machine ]] || update-binfmts --enable "qemu-$machine"

mkdir -p "$folder"
# Git and the linters pass it by.
echo '*' >"$folder/.gitignore"
root=$(cd "$folder" && pwd)/$architecture
if [[ ! -e $root.made ]]; then
  rm -rf "$root"
  if ! debootstrap --arch="$architecture" --variant=minbase --include=python3,python3-venv \
    "$suite" "$root" ${MIRROR:+"$MIRROR"} >"$root.log"; then
    tail "$root.log" >&2
    exit 1
  fi
  touch "$root.made"
fi
mkdir -p "$root/src" "$root/wheels"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind -o ro . "$root/src"

# Downloaded out here, where pip is set up for this machine's network, and fast.
pip=("$python" -m pip --quiet --quiet --disable-pip-version-check)
tests_need=(hypothesis psutil pytest scipy)
platforms=(--platform "manylinux2014_$machine")
for minor in {17..36}; do
  platforms+=(--platform "manylinux_2_${minor}_$machine")
done
rm -f "$root"/wheels/seedbed-*.whl
"${pip[@]}" wheel --no-deps --no-build-isolation --wheel-dir "$root/wheels" .
wheel=$(echo "$root"/wheels/seedbed-*.whl)
"${pip[@]}" download --only-binary=:all: "${platforms[@]}" --python-version "$python_version" \
  --dest "$root/wheels" "${wheel}[server]" "${tests_need[@]}"
inside=(env -i PATH=/usr/sbin:/usr/bin:/bin HOME=/root chroot "$root")
install=("${inside[@]}" /opt/venv/bin/pip install --quiet --no-index --find-links /wheels)
[[ -x $root/opt/venv/bin/pip ]] || "${inside[@]}" python3 -m venv /opt/venv
"${install[@]}" 'seedbed[server]' "${tests_need[@]}"
# Its version stays the same while its code changes.
"${install[@]}" --force-reinstall --no-deps seedbed

"$python" -m tests.architectures.check_bits "$architecture" "$root" "${@:4}"
