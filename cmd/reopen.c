/* spfs reopen: has sinks go on in the files that their paths name now, for who rotates logs. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "argument.h"
#include "command.h"
#include "samples.h"
#include "target.h"

struct reopen_arguments {
	char *channel; /* or a folder; NULL: everywhere */
	long id;       /* 0: all of its sinks */
};

static error_t reopen_parse(int key, char *arg, struct argp_state *state)
{
	struct reopen_arguments *a = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num == 0) {
		a->channel = arg;
		return 0;
	}
	a->id = argument_port(state, arg);
	return 0;
}

/* Returns whether it went well. */
static bool reopen_channel(const char *channel, long id)
{
	char what[PATH_MAX + 32];
	json_t *request, *answer;
	struct target t;

	if (target_open(&t, channel, TARGET_CHANNEL) < 0)
		return false;
	snprintf(what, sizeof(what), id ? "%s %ld" : "%s", channel, id);
	t.what = what;
	request = target_request(&t, "reopen");
	if (id)
		json_object_set_new(request, "id", json_integer(id));
	answer = target_ask(&t, request, -1);
	json_decref(answer);
	target_close(&t);
	return answer;
}

/* Whether it has a sink that writes a file. */
static bool reopen_is_for(const struct sample *s)
{
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(s->stats, "ports"), i, port)
		if (json_is_string(json_object_get(port, "file")))
			return true;
	return false;
}

/* All channels that the caller is told of, or those in @folder. */
static bool reopen_all(char *folder)
{
	struct samples list = { 0 };
	bool failed = false;

	samples_take(&list, folder ? &folder : NULL, folder ? 1 : 0, samples_complain, &failed);
	samples_complain_of_none(&failed, &list, folder ? 1 : 0);
	for (size_t i = 0; i < list.count; i++)
		if (reopen_is_for(list.all[i]) && !reopen_channel(list.all[i]->path, 0))
			failed = true;
	samples_free(&list);
	return !failed;
}

static bool reopen_is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int reopen_run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = reopen_parse,
		.args_doc = "[CHANNEL [ID]]",
		.doc = "Have the sinks of CHANNEL that write files, or sink ID alone, or those of every mount, go on in the "
		       "files that their paths name now, as logrotate(8) wants it after it has renamed them.\vThe files "
		       "are opened with the rights of who attached the sinks, and emptied by no means. It ends once what "
		       "comes goes there; where a file cannot be opened, the old one goes on. A sink with rotate= begins "
		       "its next file. Only who attached a sink may do this, and root; of all sinks, those that you may.",
	};
	struct reopen_arguments a = { 0 };
	bool done;

	argument_parse(&argp, argc, argv, &a);
	if (a.channel && (a.id || !reopen_is_folder(a.channel)))
		done = reopen_channel(a.channel, a.id);
	else
		done = reopen_all(a.channel);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_reopen = { "reopen", "have sinks open their files anew", reopen_run };
