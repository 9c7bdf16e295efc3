/* What the files that ask ports share. */
#pragma once

#include "ports.h"

/* Asks that @what be done, for who has @r, by a worker that may take its time: @work ends with job_done(), @back with ports_finish(). */
void ports_do(struct ports_ask *a, const char *what, const struct rights *r, void (*work)(struct job *),
	      void (*back)(struct job *));

/* First of all in @back: where the worker was given up, that is the answer. */
void ports_look_given_up(struct ports_ask *a);

/* Answers: a->err, and a->why, where there is something better to say than what it is. */
void ports_finish(struct ports_ask *a);
