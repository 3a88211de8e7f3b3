#!/bin/sh
# Many random worlds of the virtual cluster, from a seed that is new each day
# unless SIM_SEED says otherwise; SIM_WORLDS of them (20,000).
set -u
program=${top_builddir:-.}/tests/sim/sim_random
seed=${SIM_SEED:-$(date +%Y%m%d)00000}
if [ ! -x "$program" ]; then
    echo "soak: $program is not built" >&2
    exit 99
fi
echo "soak: from seed $seed"
exec "$program" --seed "$seed" --worlds "${SIM_WORLDS:-20000}"
