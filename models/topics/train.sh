#!/bin/sh
# Trains the topics encoder and writes what ships. Usage: train.sh DATA [WORK]; with UNSEEN=1 also the encoders of the bench, into WORK/unseen.
set -eu
data=$(realpath "$1")
work=$(realpath -m "${2:-/tmp/parley-topics}")
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
mkdir -p "$work"
$python words.py --data "$data" --out "$work"
$python train.py --data "$data" --out "$work" --stage general
$python train.py --data "$data" --out "$work" --stage topics --steps 350
$python export.py --build "$work" --out weights
[ -n "${UNSEEN:-}" ] || exit 0
for set in hwu banking clinc; do
  steps=350
  [ "$set" = clinc ] && steps=200
  $python train.py --data "$data" --out "$work" --stage topics --leave-out "$set" --steps "$steps"
  $python export.py --build "$work" --weights "topics-$set.pt" --out "$work/unseen/$set"
done
$python calibrate.py --data "$data" --build "$work" hwu banking
