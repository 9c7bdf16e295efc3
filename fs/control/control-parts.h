/* What the files of control share: nobody else sees it. */
#pragma once

#include "control.h"

struct control_socket;
struct snapshots;

struct control {
	struct control_socket *socket;
	struct snapshots *snapshots;
};
