#!/bin/bash
# test-ports.sh REPORT: runs the suites of the ports to the machine where their real adapters work, on a host of the lab, and writes vitest's JSON
# report to the file. The host sees these sources under the same path.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
report=$1
export GEAR_LAB_INSTALL=no

trap 'lab/lab down ports' EXIT
trap 'exit 130' INT TERM HUP
lab/lab up ports
status=0
lab/lab exec ports -- sh -c "cd '$PWD' && exec node_modules/.bin/node node_modules/vitest/vitest.mjs run \
  --config test/host/ports/vitest.config.ts --reporter=default --reporter=json --outputFile.json=/root/report.json" || status=$?
lab/lab exec ports -- cat /root/report.json >"$report.part"
mv "$report.part" "$report"
exit "$status"
