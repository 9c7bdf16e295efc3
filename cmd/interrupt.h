/* Interrupts: what is said when the command is ended by one (SIGINT, SIGTERM, SIGHUP) while it waits. */
#pragma once

/* From now on: a line on standard error, made fit for a terminal, and the command ends by the signal. */
void interrupt_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
