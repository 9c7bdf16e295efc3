/* The command line of the driver. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static _Noreturn void usage(int status)
{
	fputs("usage: bench [options] --mount [NAME=]DIR:PID...\n"
	      "\n"
	      "    --mount [NAME=]DIR:PID  a mount of spfs and its daemon; further ones are compared with the first\n"
	      "    --rounds N              of each case (5)\n"
	      "    --quick                 3 short rounds\n"
	      "    --cases NAME,...        tee: pipes; ports: files and TCP (tee,ports)\n"
	      "    --blocks N,...          sizes of the writes; K and M are understood (64,4K,64K,1M)\n"
	      "    --readers N,...         (1,2,4,8)\n"
	      "    --transfer N            bytes of a transfer by TCP (1024M)\n"
	      "    --send DIR              the folder for the file that is sent (/tmp)\n"
	      "    --receive DIR           the folder for those that are received (/dev/shm)\n"
	      "    --only NAME,...         only these contenders\n"
	      "    --seconds X             that one measurement should take (0.3)\n"
	      "    --calls                 count the daemon's system calls, with perf or strace\n"
	      "    --verify                measure nothing, compare every byte\n"
	      "    --markdown FILE         write the table there too\n",
	      status ? stderr : stdout);
	exit(status);
}

static _Noreturn void bad(const char *what, const char *value)
{
	fprintf(stderr, "bench: bad %s: %s\n", what, value);
	exit(2);
}

static unsigned long long parse_number(const char **text, const char *what)
{
	char *end;
	unsigned long long n = strtoull(*text, &end, 10);

	if (end == *text || n == 0)
		bad(what, *text);
	if (*end == 'K')
		n <<= 10;
	else if (*end == 'M')
		n <<= 20;
	if (*end == 'K' || *end == 'M')
		end++;
	if (*end == ',')
		end++;
	*text = end;
	return n;
}

static void parse_blocks(struct plan *plan, const char *text)
{
	plan->block_count = 0;
	while (*text) {
		unsigned long long n = parse_number(&text, "--blocks");

		if (plan->block_count == MAX_BLOCKS || n > 1u << 30)
			bad("--blocks", text);
		plan->blocks[plan->block_count++] = (size_t)n;
	}
}

static void parse_readers(struct plan *plan, const char *text)
{
	plan->reader_count = 0;
	while (*text) {
		unsigned long long n = parse_number(&text, "--readers");

		if (plan->reader_count == MAX_BLOCKS || n > MAX_READERS)
			bad("--readers", text);
		plan->readers[plan->reader_count++] = (int)n;
	}
}

static void parse_cases(struct plan *plan, char *text)
{
	char *name;

	plan->tee = plan->ports = false;
	while ((name = strsep(&text, ","))) {
		if (strcmp(name, "tee") == 0)
			plan->tee = true;
		else if (strcmp(name, "ports") == 0)
			plan->ports = true;
		else
			bad("--cases", name);
	}
}

static void parse_mount(struct plan *plan, char *text)
{
	char *colon = strrchr(text, ':'), *equals = strchr(text, '=');
	const char *name = "";

	if (!colon || atoi(colon + 1) <= 0)
		bad("--mount", text);
	*colon = '\0';
	if (equals) {
		*equals = '\0';
		name = text;
		text = equals + 1;
	}
	if (plan_add_mount(plan, name, text, atoi(colon + 1)) < 0)
		bad("--mount", "too many");
}

/* For mkdtemp(3). */
static void make_template(char path[PATH_LEN / 2], const char *dir, const char *what)
{
	if (snprintf(path, PATH_LEN / 2, "%s/spfs-bench.XXXXXX", dir) >= PATH_LEN / 2)
		bad(what, "too long");
}

void options_parse(struct plan *plan, int argc, char **argv)
{
	enum {
		MOUNT = 1,
		ROUNDS,
		QUICK,
		CASES,
		BLOCKS,
		READERS,
		TRANSFER,
		SEND,
		RECEIVE,
		ONLY,
		SECONDS,
		CALLS,
		VERIFY,
		MARKDOWN,
		HELP
	};
	static const struct option options[] = {
		{ "mount", required_argument, NULL, MOUNT },
		{ "rounds", required_argument, NULL, ROUNDS },
		{ "quick", no_argument, NULL, QUICK },
		{ "cases", required_argument, NULL, CASES },
		{ "blocks", required_argument, NULL, BLOCKS },
		{ "readers", required_argument, NULL, READERS },
		{ "transfer", required_argument, NULL, TRANSFER },
		{ "send", required_argument, NULL, SEND },
		{ "receive", required_argument, NULL, RECEIVE },
		{ "only", required_argument, NULL, ONLY },
		{ "seconds", required_argument, NULL, SECONDS },
		{ "calls", no_argument, NULL, CALLS },
		{ "verify", no_argument, NULL, VERIFY },
		{ "markdown", required_argument, NULL, MARKDOWN },
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	const char *text;
	int c;

	plan->rounds = 5;
	plan->seconds = 0.3;
	parse_blocks(plan, "64,4K,64K,1M");
	parse_readers(plan, "1,2,4,8");
	plan->tee = plan->ports = true;
	plan->transfer = 1 << 30;
	make_template(plan->dir, "/tmp", "--send");
	make_template(plan->received, "/dev/shm", "--receive");
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case MOUNT:
			parse_mount(plan, optarg);
			break;
		case ROUNDS:
			plan->rounds = atoi(optarg);
			break;
		case QUICK:
			plan->rounds = 3;
			plan->seconds = 0.12;
			plan->transfer = 128 << 20;
			break;
		case CASES:
			parse_cases(plan, optarg);
			break;
		case BLOCKS:
			parse_blocks(plan, optarg);
			break;
		case READERS:
			parse_readers(plan, optarg);
			break;
		case TRANSFER:
			text = optarg;
			plan->transfer = parse_number(&text, "--transfer");
			break;
		case SEND:
			make_template(plan->dir, optarg, "--send");
			break;
		case RECEIVE:
			make_template(plan->received, optarg, "--receive");
			break;
		case ONLY:
			plan->only = optarg;
			break;
		case SECONDS:
			plan->seconds = atof(optarg);
			break;
		case CALLS:
			plan->calls = true;
			break;
		case VERIFY:
			plan->verify = true;
			break;
		case MARKDOWN:
			plan->markdown = optarg;
			break;
		case HELP:
		case 'h':
			usage(0);
		default:
			usage(2);
		}
	}
	if (optind != argc || !plan->contender_count)
		usage(2);
	if (plan->rounds < 1 || plan->rounds > MAX_ROUNDS)
		bad("--rounds", "must be 1 to 1000");
	if (!(plan->seconds > 0.001 && plan->seconds < 20))
		bad("--seconds", "must be 0.001 to 20");
	plan_add_others(plan);
}
