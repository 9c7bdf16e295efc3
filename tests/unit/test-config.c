#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base.h"
#include "config.h"
#include "kinds.h"
#include "prologue.h"

static char path[] = "/tmp/spfs-config-XXXXXX";

static void write_file(const char *text, size_t size)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(text, 1, size, f), size);
	fclose(f);
}

static void setup(void)
{
	close(mkstemp(path));
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(config, .init = setup, .fini = teardown);

static struct config *good(const char *text)
{
	struct lines mistakes = { 0 };
	struct config *c = NULL;

	write_file(text, strlen(text));
	cr_assert_eq(config_read(path, &c, &mistakes), 0, "%s", mistakes.count ? mistakes.line[0] : "");
	cr_assert_eq(mistakes.count, 0);
	return c;
}

static bool allowed(const struct config *c, const char *kind, const struct rights *r)
{
	return permits_allow(&c->permits, kind, r);
}

/* Every line of @wanted, "LINE: REASON", is a mistake, in that order, and there is no other; a reason may be cut. */
static void bad_bytes(const char *text, size_t size, const char *wanted)
{
	struct lines mistakes = { 0 };
	struct config *c = NULL;
	_cleanup_free_ char *list = strdup(wanted);
	char *next = list, *line, prefix[256];
	size_t i = 0;

	write_file(text, size);
	cr_assert_eq(config_read(path, &c, &mistakes), -EINVAL);
	while ((line = strsep(&next, "\n"))) {
		cr_assert_lt(i, mistakes.count, "missing: %s", line);
		snprintf(prefix, sizeof(prefix), "%s:%s", path, line);
		cr_assert_eq(strncmp(mistakes.line[i], prefix, strlen(prefix)), 0, "'%s', not '%s'", mistakes.line[i],
			     prefix);
		i++;
	}
	cr_assert_eq(i, mistakes.count, "too much: %s", mistakes.line[i]);
	lines_finish(&mistakes);
}

static void bad(const char *text, const char *wanted)
{
	bad_bytes(text, strlen(text), wanted);
}

static const char everything[] =
	"# all of it\n"
	"[mount]\npoint = /splicefs\nworkers=3\nallow_other = no\nlog = /tmp/log\n"
	"owner = daemon\ngroup = 4711\nmode = 2775\n"
	"[defaults]\nsize = 64K\ndepth = 2M ; more\npolicy = drop-old\nidle = discard\n"
	"replay = 1K\neof = never\npackets = 1\nstable = 1\nrate = 5M # slow\non-error = hold\n"
	"[quota]\ndefault = 2G\nroot = 256M\n@root = 4G\n4711 = 0\n"
	"[ports]\nfile = all\ntcp = none\ntcp-listen = root, @root 4711\nfd = none\n"
	"[ channel  /a//b/ ]\nowner = daemon\ngroup = root\nmode = 0600\nrate = 7\n"
	"source = file:/x\nsource = tcp:h:1\nsink = unix:/s?retry=2\n"
	"[tap t]\nchannel = a/b\ndepth = 3M\nsink = file:/y\n"
	"[channel empty]\n";

Test(config, says_what_is_in_the_file)
{
	struct config *c = good(everything);
	const struct declared *d = config_find(c, "a/b"), *t = config_find(c, "t");
	const struct rights root = { 0 }, other = { .uid = 4711, .gid = 4712 };
	struct settings s;

	cr_assert_str_eq(c->point, "/splicefs");
	cr_assert_str_eq(c->log, "/tmp/log");
	cr_assert_eq(c->workers, 3);
	cr_assert_eq(c->allow_other, 0);
	cr_assert(c->owner == 1 && c->group == 4711 && c->mode == 02775);
	cr_assert_eq(c->defaults.value[SETTING_DEPTH], 2 << 20);
	cr_assert_eq(c->defaults.value[SETTING_RATE], 5 << 20);
	cr_assert_eq(c->defaults.value[SETTING_POLICY], POLICY_DROP_OLD);
	cr_assert_eq(c->defaults.value[SETTING_ON_ERROR], ON_ERROR_HOLD);
	cr_assert_eq(c->quotas.of[ACCOUNT_BYTES].preset, 2ull << 30);
	cr_assert_eq(c->quotas.of[ACCOUNT_BYTES].count, 3);
	cr_assert(c->quotas.of[ACCOUNT_BYTES].rules[1].group);
	cr_assert(allowed(c, "file", &other));
	cr_assert_not(allowed(c, "tcp", &root));
	cr_assert(allowed(c, "tcp-listen", &other));
	cr_assert(allowed(c, "v4l2", &other));
	cr_assert_not(allowed(c, "fd", &other));
	cr_assert_eq(c->declared_count, 3);
	cr_assert(d && t && config_find(c, "empty"));
	cr_assert_eq(d->owner.uid, 1);
	cr_assert_eq(d->owner.gid, 1);
	cr_assert_eq(d->group, 0);
	cr_assert_eq(d->mode, 0600);
	cr_assert_eq(d->port_count, 3);
	cr_assert_eq(d->ports[2].dir, PORT_SINK);
	cr_assert_str_eq(d->ports[1].uri, "tcp:h:1");
	cr_assert_str_eq(t->channel, "a/b");
	s = config_settings(c, t);
	cr_assert_eq(s.value[SETTING_DEPTH], 3 << 20);
	cr_assert_eq(s.value[SETTING_SIZE], 64 << 10);
	config_unref(c);
}

Test(config, takes_a_prologue_from_a_file)
{
	char text[256], wanted[512], head[] = "/tmp/spfs-head-XXXXXX";
	int fd = mkstemp(head);
	_cleanup_free_ char *printed = NULL;
	struct config *c, *again;

	cr_assert_eq(write(fd, "HE\0AD", 5), 5);
	snprintf(text, sizeof(text), "[channel a]\nprologue = @%s\n", head);
	c = good(text);
	cr_assert(c->declared[0].prologue_len == 5 && !memcmp(c->declared[0].prologue, "HE\0AD", 5));
	cr_assert_str_eq(c->declared[0].prologue_file, head);
	printed = config_print(c, true);
	again = good(printed);
	cr_assert_eq(again->declared[0].prologue_len, 5);
	config_unref(again);
	config_unref(c);

	snprintf(text, sizeof(text),
		 "[channel a]\nprologue = first:3\nprologue = @%s\n[channel b]\nprologue = @%s\n"
		 "prologue = first:3\n",
		 head, head);
	bad(text, "3: 'prologue' is there twice\n6: 'prologue' is there twice");
	cr_assert_eq(ftruncate(fd, PROLOGUE_MAX + 1), 0);
	snprintf(text, sizeof(text),
		 "[channel a]\nprologue = @%s\n[channel b]\nprologue = @x\n[channel c]\n"
		 "prologue = @/nonexistent\n[channel d]\nprologue = @/dev/zero\n"
		 "[channel e]\nprologue = @/dev/null/\n[tap t]\nchannel = a\nprologue = @/x\n",
		 head);
	snprintf(wanted, sizeof(wanted),
		 "2: prologue: %s: a prologue has 64K at most\n"
		 "4: prologue: 'x' does not begin with '/'\n"
		 "6: prologue: /nonexistent: No such file or directory\n"
		 "8: prologue: /dev/zero: is no regular file\n"
		 "10: prologue: /dev/null/: Not a directory\n"
		 "13: 'prologue' is a setting of a channel",
		 head);
	bad(text, wanted);
	cr_assert_eq(ftruncate(fd, 0), 0);
	snprintf(text, sizeof(text), "[channel a]\nprologue = @%s\n[defaults]\nprologue = @%s\n", head, head);
	snprintf(wanted, sizeof(wanted), "2: prologue: %s: there is nothing in it\n4: prologue: the bytes of a file",
		 head);
	bad(text, wanted);
	close(fd);
	unlink(head);
}

Test(config, says_which_taps_are_broadcasts)
{
	static const char text[] = "[channel c]\neach = live/l\neach = /m/\n[tap m]\nchannel = c\npolicy = drop-new\n"
				   "[tap t]\nchannel = c\n";
	struct config *c = good(text), *second;
	const struct declared *l = config_find(c, "live/l"), *m = config_find(c, "m");
	_cleanup_free_ char *printed = config_print(c, true), *again = NULL;

	cr_assert_eq(c->declared_count, 4);
	cr_assert(l && l->tap && l->each && !l->given);
	cr_assert_str_eq(l->channel, "c");
	cr_assert(m->each && m->given == 1u << SETTING_POLICY);
	cr_assert(!config_find(c, "t")->each);
	second = good(printed);
	again = config_print(second, true);
	cr_assert_str_eq(printed, again);
	config_unref(c);
	config_unref(second);
	bad("[channel c]\neach = a ]b\n", "2: 'a ]b' has a ']'");
	bad("[channel ;]\n[channel a #b]\n[channel a#b]\n[channel x/;y]\n",
	    "1: ';' has a ';' or '#' where a comment begins\n2: 'a #b' has a ';' or '#'");
	bad("[channel c]\neach = d\neach = c/x\neach = /\n[channel d]\n[tap t]\nchannel = d\neach = x\n"
	    "[channel e]\neach = t\neach = s\n[tap s]\nchannel = e\nsink = file:/x\n",
	    "4: a name is missing\n8: 'each' belongs to the channel, not to its tap\n"
	    "2: each: 'd' is declared in line 5, and no tap of 'c'\n"
	    "10: each: 't' is declared in line 6, and no tap of 'e'\n"
	    "11: 's' has a stream for each who opens it, and none for a sink\n3: 'c/x' cannot be in 'c', which is no folder");
}

Test(config, its_text_is_read_as_the_same)
{
	struct config *first = good(everything), *second;
	_cleanup_free_ char *text = config_print(first, true), *again = NULL;

	second = good(text);
	again = config_print(second, true);
	cr_assert_str_eq(text, again);
	cr_assert_str_eq(second->declared[0].ports[2].uri, "unix:/s?retry=2");
	config_unref(first);
	config_unref(second);
}

Test(config, an_empty_file_is_the_presets)
{
	struct config *c = good(""), *preset = config_create();
	_cleanup_free_ char *text = config_print(c, true), *wanted = config_print(preset, true);

	cr_assert_str_eq(text, wanted);
	config_unref(c);
	config_unref(preset);
}

Test(config, a_byte_order_mark_and_line_ends_of_windows_do_no_harm)
{
	struct config *c = good("\xef\xbb\xbf[mount]\r\nworkers = 2\r\n\r\n[channel x]");

	cr_assert_eq(c->workers, 2);
	cr_assert_not_null(config_find(c, "x"));
	config_unref(c);
}

Test(config, every_mistake_is_told_with_its_line)
{
	bad("[mount]\npoint = here\nworkers = 0\nworkers = 65\nallow_other = maybe\nlog = x\ncolour = red\nbare\n= 5\nlog =\n",
	    "2: point: 'here' does not begin with '/'\n3: workers: '0' is not a number\n4: 'workers' is there twice\n"
	    "5: allow_other: 'maybe' is neither\n6: log: 'x' does not begin\n7: [mount] has no key 'colour'\n"
	    "8: 'bare' is neither\n9: there is no key in front of '='\n10: 'log' has no value");
	bad("[mount]\nowner = no-such\ngroup = -1\nmode = 1777\n",
	    "2: there is no user 'no-such'\n3: there is no group '-1'\n4: mode: '1777' is not an octal number within 2777");
	bad("[mount]\nowner = \ngroup = 4294967295\nmode = 0o755\nmode = 7\n",
	    "2: 'owner' has no value\n3: there is no group '4294967295'\n4: mode: '0o755'\n5: 'mode' is there twice");
	bad("[defaults]\ndepth = 1X\nsize = 0\npolicy = drop\nquota = 1G\nnothing = 1\nrate = 1\nrate = 2\n",
	    "2: depth: 1X: not a number\n3: size: 0: not within\n4: policy: drop: not block or drop-new\n"
	    "5: 'quota' does not belong here\n6: there is no setting 'nothing'\n8: 'rate' is there twice");
	bad("[quota]\nno-such-user = 1G\n@no-such-group = 1G\nroot = much\nroot = 1\n0 = 2\ndefault = 1\ndefault = 2\n"
	    "4294967295 = 1\n",
	    "2: there is no user 'no-such-user'\n3: there is no group 'no-such-group'\n4: root: much: not a number\n"
	    "6: '0' has a quota already\n8: 'default' is there twice\n9: there is no user '4294967295'");
	bad("[ports]\nsmtp = all\nfile = nobody-such @none-such all\ntcp = none\ntcp = all\n",
	    "2: there is no kind of port 'smtp'\n3: there is no user 'nobody-such'\n3: there is no group 'none-such'\n"
	    "3: 'all' stands alone\n5: 'tcp' is there twice");
}

Test(config, an_option_says_a_key_of_the_root_folder_once_more)
{
	struct config *c = good("[mount]\nowner = 5\n");
	struct lines mistakes = { 0 };

	cr_assert(c->owner == 5 && c->group == (gid_t)-1 && c->mode == (mode_t)-1);
	cr_assert_eq(config_say(c, "-o uid=daemon", "owner", "daemon", &mistakes), 0);
	cr_assert_eq(config_say(c, "-o mode=0", "mode", "0", &mistakes), 0);
	cr_assert(c->owner == 1 && c->mode == 0 && !mistakes.count);
	cr_assert_eq(config_say(c, "-o gid=no-such", "group", "no-such", &mistakes), -EINVAL);
	cr_assert_str_eq(mistakes.line[0], "-o gid=no-such: there is no group 'no-such'");
	cr_assert_eq(c->group, (gid_t)-1);
	lines_finish(&mistakes);
	config_unref(c);
}

Test(config, mistakes_of_sections_are_told_with_their_lines)
{
	bad("workers = 1\n[nothing]\nworkers = 1\n[mount\n[mount] x\n[mount]\n[mount]\n[quota q]\n[]\n",
	    "1: 'workers' is in no section\n2: there is no section [nothing]\n4: ']' is missing\n5: there is more behind ']'\n"
	    "7: section [mount] is there twice, first in line 6\n8: section [quota] has no name\n9: there is no section []");
	bad("[channel]\n[channel a]\n[tap a]\nchannel = a\n[channel a/b]\n[channel x/../y]\n[channel .spfs/x]\n[tap t]\n"
	    "[tap u]\nchannel = nobody\n[tap v]\nchannel = u\n",
	    "1: a name is missing\n3: 'a' is there twice, first in line 2\n6: '..' is not a part\n7: '.spfs' is the daemon's\n"
	    "5: 'a/b' cannot be in 'a'\n8: tap 't' needs 'channel'\n10: there is no section [channel nobody]\n"
	    "12: 'u' is a tap, not a channel");
	bad("[channel c]\nowner = no-such\ngroup = no-such\nmode = 0888\nmode = 7777\nsource = http:x\nsource = file:y\n"
	    "sink = v4l2:/dev/video0\ndepth = 1\nchannel = c\nowner = root\n[tap t]\nchannel = c\nowner = root\nsource = file:/x\n"
	    "replay = 1\nsink = tcp:x\nchannel = c\n[channel d]\nowner = 4711\n",
	    "2: there is no user 'no-such'\n3: there is no group 'no-such'\n4: mode: '0888'\n5: 'mode' is there twice\n"
	    "6: source: http:x: it begins with none\n7: source: file:y: the path must be absolute\n"
	    "8: sink: v4l2:/dev/video0: v4l2 is for a source only\n9: 'depth' is a setting of a tap\n10: a channel has no key 'channel'\n"
	    "11: 'owner' is there twice\n14: 'owner' belongs to the channel\n15: 'source' belongs to the channel\n"
	    "16: 'replay' is a setting of a channel\n17: sink: tcp:x: \n18: 'channel' is there twice\n"
	    "19: user 4711 has no name");
}

Test(config, rubbish_is_told_with_its_line)
{
	static char text[20000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "[mount]\n", 8);
	text[9000] = '\n';
	memcpy(text + 9001, "a = 1\n#", 7);
	text[sizeof(text) - 1] = '\0';
	bad(text, "2: the line is longer than 8192 bytes\n3: [mount] has no key 'a'\n4: the line is longer");
	bad_bytes("[mount]\nworkers = 1\0\n", 21, "2: a zero byte");
	bad("[mount]\nworkers = \x1b[2J\n[channel \x07]\n", "2: a control character\n3: a control character");
}

Test(config, what_is_no_file_is_told)
{
	struct lines mistakes = { 0 };
	struct config *c;

	cr_assert_eq(config_read("/nonexistent/spfs.conf", &c, &mistakes), -EINVAL);
	cr_assert_str_eq(mistakes.line[0], "/nonexistent/spfs.conf: No such file or directory");
	cr_assert_eq(config_read("/tmp", &c, &mistakes), -EINVAL);
	cr_assert_str_eq(mistakes.line[1], "/tmp: Is a directory");
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(config_read(path, &c, &mistakes), -EINVAL);
	cr_assert_not_null(strstr(mistakes.line[2], ": not a file"));
	cr_assert_eq(config_read("/dev/zero", &c, &mistakes), -EINVAL);
	cr_assert_str_eq(mistakes.line[3], "/dev/zero: File too large");
	cr_assert_eq(config_read("/dev/null", &c, &mistakes), 0);
	config_unref(c);
	lines_finish(&mistakes);
}

Test(config, random_changes_do_no_harm)
{
	static const char spice[] = "\n\n[]=:;#@/ \t%\0\xff"
				    "a0";
	char text[sizeof(everything)];
	unsigned seed = (unsigned)time(NULL);

	cr_log_info("seed %u", seed);
	for (int round = 0; round < 2000; round++) {
		struct lines mistakes = { 0 };
		struct config *c = NULL;
		int err;

		memcpy(text, everything, sizeof(text));
		for (int n = 1 + rand_r(&seed) % 20; n; n--)
			text[(size_t)rand_r(&seed) % (sizeof(text) - 1)] =
				spice[(size_t)rand_r(&seed) % (sizeof(spice) - 1)];
		write_file(text, sizeof(text) - 1 - (size_t)rand_r(&seed) % 50);
		err = config_read(path, &c, &mistakes);
		cr_assert_eq(err == 0, mistakes.count == 0);
		if (err == 0) {
			_cleanup_free_ char *print = config_print(c, true);

			cr_assert_not_null(print);
			config_unref(c);
		}
		lines_finish(&mistakes);
	}
}

/* What the first has made is freed, as LeakSanitizer knows. */
Test(config, of_a_section_that_stands_twice_each_key_is_read)
{
	bad("[mount]\npoint = /first\nlog = /first.log\n[mount]\nlog = /second.log\npoint = /second\n",
	    "4: section [mount] is there twice, first in line 1");
}
