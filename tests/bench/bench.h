/*
 * bench: one writer, N readers, and what carries the bytes between them: the contender.
 *
 * A case is a route, a block size and a number of readers. Contenders take turns within each round of a
 * case, so a ratio compares runs that were seconds apart; absolute numbers of a noisy machine mean little.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MAX_READERS 64
#define MAX_CONTENDERS 32
#define MAX_COMPARISONS 64
#define MAX_BLOCKS 16
#define MAX_ROUNDS 1000
#define PATH_LEN 512

/* What is at the ends. */
enum route {
	ROUTE_PIPES,   /* one process writes, others read */
	ROUTE_SEND,    /* a file, and a process that reads a TCP connection; nobody writes */
	ROUTE_RECEIVE, /* a process that writes to a TCP connection, and files, watched by the "readers" */
};

/* What it cost the process in the middle. */
struct usage {
	double cpu;   /* seconds, user and system; < 0: unknown */
	double wakes; /* voluntary context switches */
	double calls; /* system calls; < 0: not counted */
};

struct run;
struct bench_case;

/* A kind of contender. Calls nest: setup, start, [usage, usage], finish. 0 or a negative errno. */
struct contender_ops {
	/* Makes the names: run->in for the writer, run->out[] for the readers. ROUTE_SEND: run->in is a file already. */
	int (*setup)(struct run *run);
	/*
	 * Starts run->copier, which opens its ends as the writer and the readers open theirs. Where nobody writes this
	 * is the starting shot.
	 */
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
extern const struct contender_ops send_ops, receive_ops;
extern const struct contender_ops sendfile_ops, socat_ops, pv_nc_ops, socat_tee_ops;

struct contender {
	char name[32];
	const struct contender_ops *ops;
	enum route route;
	int size; /* capacity of its FIFOs in bytes, or its own block; 0: the default */
	int min_readers, max_readers;
	const char *mount; /* of spfs */
	pid_t daemon;      /* of spfs */
};

/* One measurement. */
struct run {
	const struct contender *contender;
	const char *programs; /* folder of bench-read and the others */
	const char *dir;      /* private folder */
	const char *received; /* another, for the files of ROUTE_RECEIVE */
	enum route route;
	size_t block;
	int readers;
	uint64_t bytes;
	bool hash;

	char channel[PATH_LEN]; /* of ports */
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
int run_once(struct run *run, const struct contender *contender, const struct bench_case *c, uint64_t bytes);

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
/* Of a living process and its threads, those of the kernel's io_uring included. */
void process_usage(pid_t pid, struct usage *usage);
int counter_start(struct counter *counter, const char *dir, pid_t daemon);
double counter_stop(struct counter *counter);
double now(void);
/* Half a millisecond. */
void nap(void);
extern volatile int interrupted;

/* contender.c: who takes part, and what is compared with what. */
struct comparison {
	const char *ours, *other;
	double (*goal)(const struct bench_case *c); /* the least ratio of the rates; 0: none */
	double cpu_goal;                            /* the largest ratio of the CPU times; 0: none */
};

struct plan {
	struct contender contenders[MAX_CONTENDERS];
	int contender_count;
	struct comparison comparisons[MAX_COMPARISONS];
	int comparison_count;

	const char *programs;
	char dir[PATH_LEN / 2], received[PATH_LEN / 2];
	size_t blocks[MAX_BLOCKS];
	int block_count;
	int readers[MAX_BLOCKS];
	int reader_count;
	bool tee, ports;   /* groups of cases */
	uint64_t transfer; /* bytes of a transfer by TCP */
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
/* Names are unique on a route only. */
const struct contender *plan_find(const struct plan *plan, const char *name, enum route route);

/* options.c: exits on a bad command line. */
void options_parse(struct plan *plan, int argc, char **argv);

/* case.c: the rounds of one case. */
struct result {
	bool in;             /* takes part */
	double *rate;        /* MiB/s of each round; 0: failed */
	double *cpu;         /* seconds per GiB of each round; < 0: unknown */
	double wakes, calls; /* per GiB; the median, and of one run apart */
};

struct bench_case {
	enum route route;
	bool cold; /* ROUTE_SEND: the file is not in the page cache */
	size_t block;
	int readers;
	struct result results[MAX_CONTENDERS];
};

#define MAX_CASES (MAX_BLOCKS * MAX_BLOCKS + 8)

/* The plan's cases, without results; at most MAX_CASES. Returns their number. */
int plan_cases(const struct plan *plan, struct bench_case *cases);
#define CASE_TEXT 64
void case_text(const struct bench_case *c, char *text, size_t len);
/* Both return the number of failed runs. */
int case_run(const struct plan *plan, struct bench_case *c);
int case_verify(const struct plan *plan, const struct bench_case *c);
void case_free(struct bench_case *c);
double median(const double *values, int count);
double best(const double *values, int count);

/* input.c: the file that is sent. Returns 0, or a negative errno after a line on stderr. */
int input_make(const struct plan *plan, size_t block, uint64_t bytes);
void input_name(char name[PATH_LEN], const char *dir);
/* Takes it out of the page cache. */
void input_cool(const char *dir);
void input_remove(const char *dir);

/* table.c */
void table_print(const struct plan *plan, const struct bench_case *cases, int count, FILE *file, bool markdown);
