/* The terms on which a channel or a tap is made: what was set before, and who answers for what it holds. */
#pragma once

#include "account.h"
#include "setting.h"

struct terms {
	struct settings settings;
	struct account *account; /* who is charged; NULL: nobody */
};
