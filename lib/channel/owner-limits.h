/* The owner and limits of a channel or a tap that is made: who answers for what it holds, and what was set before. */
#pragma once

#include "account.h"
#include "setting.h"

struct limits {
	struct settings settings;
	struct account *account; /* who is charged; NULL: nobody */
	bool goes_on;            /* of a tap: who reads it goes on with something begun, and gets no prologue */
};
