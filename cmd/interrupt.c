/* The handler may do next to nothing, so the line is made beforehand. A signal that was ignored stays so. */
#include "interrupt.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

#define INTERRUPT_LINE_MAX 4096

static char interrupt_line[INTERRUPT_LINE_MAX];

static void interrupt_end(int number)
{
	ssize_t n = write(STDERR_FILENO, interrupt_line, strlen(interrupt_line));

	(void)n; /* who does not read it is not told */
	raise(number);
}

void interrupt_say(const char *fmt, ...)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction own = { .sa_handler = interrupt_end, .sa_flags = (int)SA_RESETHAND }, old;
	va_list ap;

	bool terminal = isatty(STDERR_FILENO); /* which has shown ^C, perhaps behind something else */

	va_start(ap, fmt);
	vsnprintf(interrupt_line + terminal, sizeof(interrupt_line) - 1 - terminal, fmt, ap);
	va_end(ap);
	text_clean(interrupt_line + terminal);
	strcat(interrupt_line + terminal, "\n");
	if (terminal)
		*interrupt_line = '\n';
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &own, NULL);
}
