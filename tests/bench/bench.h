/*
 * bench: one writer, N readers, and what carries the bytes between them: the contender.
 *
 * A case is a block size and a number of readers. Contenders take turns within each round of a case,
 * so a ratio compares runs that were seconds apart; absolute numbers of a noisy machine mean little.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MAX_READERS 64
#define MAX_CONTENDERS 24
#define MAX_COMPARISONS 64
#define MAX_BLOCKS 16
#define MAX_ROUNDS 1000
#define PATH_LEN 512

/* What it cost the process in the middle. */
struct usage {
	double cpu;    /* seconds, user and system; < 0: unknown */
	double wakes;  /* voluntary context switches */
	double calls;  /* system calls; < 0: not counted */
};

struct run;

/* A kind of contender. Calls nest: setup, start, [usage, usage], finish. 0 or a negative errno. */
struct contender_ops {
	/* Makes the names: run->in for the writer, run->out[] for the readers. */
	int (*setup)(struct run *run);
	/* Starts run->copier, which opens its ends as the writer and the readers open theirs. */
	int (*start)(struct run *run);
	/* What a lasting process in the middle has used so far. */
	void (*usage)(const struct run *run, struct usage *usage);
	/* Removes the names. */
	void (*finish)(struct run *run);
	/* start() also starts the readers: run->report[] are theirs. */
	bool brings_readers;
};

extern const struct contender_ops fifo_ops, tap_ops, channel_ops;
extern const struct contender_ops tee_ops, pee_ops, mbuffer_ops, teeloop_ops;

struct contender {
	char name[32];
	const struct contender_ops *ops;
	int size;         /* capacity of its FIFOs in bytes; 0: the default */
	int min_readers, max_readers;
	const char *mount; /* of spfs */
	pid_t daemon;      /* of spfs */
};

/* One measurement. */
struct run {
	const struct contender *contender;
	const char *programs; /* folder of bench-read and the others */
	const char *dir;      /* private folder */
	size_t block;
	int readers;
	uint64_t bytes;
	bool hash;

	char in[PATH_LEN];
	char out[MAX_READERS][PATH_LEN];
	pid_t writer, copier, reader[MAX_READERS];
	int start;               /* the driver's end of the writer's socket */
	int report[MAX_READERS]; /* the driver's ends of the readers' */
	int peer[MAX_READERS];   /* the readers' ends, until they run */

	double seconds;
	uint64_t digest; /* of the bytes, equal for every reader */
	struct usage used;
};

/* Measures @bytes of @contender. Returns 0, or a negative errno after a line on stderr. */
int run_once(struct run *run, const struct contender *contender, size_t block, int readers, uint64_t bytes);

/* run->digest as it must be. */
uint64_t run_expect(size_t block, uint64_t bytes);

/* Counts the system calls of run->contender->daemon during the runs to come; needs perf or strace. */
struct counter {
	pid_t pid;
	char file[PATH_LEN];
	bool strace;
};

/* process.c */
struct spawn {
	const char *in, *out; /* files to open in the child as 0 and 1, or NULL */
	const int *keep;      /* descriptors that the child inherits */
	int keeps;
};
pid_t spawn(const struct spawn *how, char *const argv[]);
/* Ends and reaps *@pid, and sets it to 0. */
void process_kill(pid_t *pid);
/* Waits until *@pid ends by itself, sets it to 0; its usage if wanted. -ETIMEDOUT after @seconds. */
int process_wait(pid_t *pid, double seconds, struct usage *usage);
/* Of a living process and its threads. */
void process_usage(pid_t pid, struct usage *usage);
int counter_start(struct counter *counter, const char *dir, pid_t daemon);
double counter_stop(struct counter *counter);
double now(void);
extern volatile int interrupted;

/* contender.c: who takes part, and what is compared with what. */
struct comparison {
	const char *ours, *other;
	int min_readers, max_readers;
	double (*goal)(size_t block, int readers); /* 0: none */
};

struct plan {
	struct contender contenders[MAX_CONTENDERS];
	int contender_count;
	struct comparison comparisons[MAX_COMPARISONS];
	int comparison_count;

	const char *programs;
	char dir[PATH_LEN];
	size_t blocks[MAX_BLOCKS];
	int block_count;
	int readers[MAX_BLOCKS];
	int reader_count;
	int rounds;
	double seconds; /* that one measurement should take */
	bool verify, calls;
	const char *only;     /* names of contenders, separated by commas */
	const char *markdown; /* file */
	const char *first_mount;
};

/* Adds the daemon @pid of the mount point @dir; @name tells several apart, the first is the reference. */
int plan_add_mount(struct plan *plan, const char *name, const char *dir, pid_t pid);
/* After the mounts. */
void plan_add_others(struct plan *plan);
const struct contender *plan_find(const struct plan *plan, const char *name);

/* options.c: exits on a bad command line. */
void options_parse(struct plan *plan, int argc, char **argv);

/* case.c: the rounds of one case. */
struct result {
	bool in;        /* takes part */
	double *rate;   /* MiB/s of each round; 0: failed */
	double cpu;     /* median of seconds per GiB */
	double wakes, calls; /* per GiB, medians */
};

struct bench_case {
	size_t block;
	int readers;
	struct result results[MAX_CONTENDERS];
};

/* Returns the number of failed runs. */
int case_run(const struct plan *plan, struct bench_case *c);
int case_verify(const struct plan *plan);
void case_free(struct bench_case *c);
double median(const double *values, int count);
double best(const double *values, int count);

/* table.c */
void table_print(const struct plan *plan, const struct bench_case *cases, int count, FILE *file, bool markdown);
