/*
 * A claim: that a sink writes a regular file, for as long as it has it open. Two sinks that do not append would empty each
 * other's file and write over each other, whatever names they have it by. Any thread; never waits.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct file_claim;

/*
 * Claims the file @ino of @dev. Returns 0 and in *claim what file_claim_drop() is owed, or -EBUSY (a sink has it that does not
 * append, or has it and this one does not) or -ENOMEM.
 */
int file_claim_take(struct file_claim **claim, dev_t dev, ino_t ino, bool append);

/* NULL-safe. */
void file_claim_drop(struct file_claim *claim);
