# The daemon's end, by every way to it, while six processes ask it for all kinds of things.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
under_load end "${ROUNDS:-8}"
finish
