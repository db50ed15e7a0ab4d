#!/bin/sh
# Trains both models and writes what ships. Usage: train.sh DATA [WORK]; see README.md.
set -eu
data=$(realpath "$1")
work=$(realpath -m "${2:-/tmp/parley-turns}")
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
mkdir -p "$work"
$python train_endpoint.py --data "$data" --out "$work" --name e --seed 1 --steps 1800
$python train_endpoint.py --data "$data" --out "$work" --name f --seed 11 --steps 2600 --lr 1.3e-3 --start "$work/e-1.pt"
[ -s "$work/heard.jsonl" ] || $python answers.py train 900 5 | npx tsx heard.ts > "$work/heard.jsonl"
$python train_endpoint.py --data "$data" --out "$work" --name g --seed 21 --steps 450 --lr 7e-4 --start "$work/f-11.pt" --heard "$work/heard.jsonl"
for seed in 4 5 6; do $python train_language.py --data "$data" --out "$work" --heard "$work/heard.jsonl" --net "$work/f-11.pt" "$work/g-21.pt" --seed $seed; done
$python train_interruption.py --data "$data" --out "$work" --embedding "$work/f-11.pt"
$python train_interruption_language.py --data "$data" --out "$work"
$python export_models.py --data "$data" --out "$work" --endpoint "$work/f-11.pt" "$work/g-21.pt" --heads 4 5 6
npx biome format --write fixtures.json
