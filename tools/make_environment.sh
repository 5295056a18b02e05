#!/usr/bin/env bash
# Make or bring up to date the Python environment that runs the workflow. Arguments: the Python to use, the folder.
set -euo pipefail
python=$1 folder=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "PhytoScribe needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Set another one: make env PYTHON=/path/to/python3.11" >&2
    exit 1
}
# A folder without pip is what an interrupted set-up leaves behind.
[ -x "$folder/bin/pip" ] || "$python" -m venv --clear "$folder" || {
    echo "python -m venv failed; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2
    exit 1
}
echo "Installing the pinned Python packages into $folder (some minutes; about 2 GB, or 6 GB where pip brings the CUDA build of PyTorch)"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r requirements.lock
