/* What the files of a file sink share; port-file-sink.c writes. */
#pragma once

#include "port-file.h"

/* ---- port-file-sink-look.c ---- */

/* Whether the file's size is to be seen before more is written. */
bool file_sink_doubts(const struct file_port *f);

/* Asks for it. Returns false where calls->look() follows, which has the size seen, unless it could not be had. */
bool file_sink_look(struct file_port *f);
void file_sink_see(struct file_port *f);

/* ---- port-file-sink-turn.c ---- */

/* How much of the half goes into the file that is open, perhaps by now; 0: another one is waited for. */
size_t file_sink_share(struct file_port *f, const struct half *half);

/* Nothing is in hand: goes on in another file, where that may be. */
void file_sink_rest(struct file_port *f);

/* For struct port_ops. */
int file_sink_reopen(struct port *p, void (*reopened)(void *data, int err, const char *why), void *data);
void file_sink_reopen_forget(struct port *p, const void *data);
int file_sink_report(struct port *p, struct port_report *report);

/* ---- port-file-sink-lead.c: what each file begins with ---- */

/* Whether something is before what it writes first, which so has its beginning. */
bool file_sink_has_begun(const struct file_port *f);

/* Bytes have come: the prologue of their stream is known by now, if it has one. */
void file_sink_learn(struct file_port *f);

/* It has gone on to another file. */
void file_sink_lead_begin(struct file_port *f);

/* Whether the beginning of the file is to be written before anything else, which is begun with, where it may be. */
bool file_sink_lead(struct file_port *f);

/* So many bytes of it were written. */
void file_sink_led(struct file_port *f, size_t bytes);

void file_sink_lead_finish(struct file_port *f);

/* ---- port-file-sink-back.c ---- */

/* What was taken and not written is the tap's again, before what is in it. */
void file_sink_give_back(struct file_port *f);
