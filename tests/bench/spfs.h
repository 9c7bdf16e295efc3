#pragma once

struct run;
struct usage;

/* What the daemon of the run's contender has used so far. */
void spfs_usage(const struct run *run, struct usage *usage);
