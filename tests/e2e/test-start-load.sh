# The daemon's start while others use the mount as soon as it is there; told to end meanwhile; and when it cannot go on.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
under_load start "${ROUNDS:-10}"
finish
