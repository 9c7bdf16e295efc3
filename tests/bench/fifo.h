#pragma once

struct run;

/* run->in and run->out[] in run->dir. */
int fifos_make(struct run *run);
void fifos_remove(struct run *run);
