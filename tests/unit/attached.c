#include "attached.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

struct attaching {
	struct channel *ch;
	struct port_config config;
	unsigned id;
	int err;
	sem_t detached;
	struct look look;
};

static void call_attach(void *arg)
{
	struct attaching *a = arg;
	char why[URI_WHY_MAX] = "";

	a->err = port_attach(a->ch, &a->config, &a->id, why);
	cr_expect(a->err == 0 || why[0], "no reason for %s", strerror(-a->err));
}

int attach_as(uid_t uid, struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, int fd,
	      const char *uri)
{
	struct attaching a = { .ch = ch, .config = { .dir = dir, .opened = { .fd = fd }, .node = node } };
	char why[URI_WHY_MAX] = "";
	off_t position = uri ? 0 : lseek(fd, 0, SEEK_CUR);

	cr_assert_eq(opened_look(&a.config.opened), 0);
	a.config.opened.position = position > 0 ? (uint64_t)position : 0; /* as its opening would tell */
	cr_assert_eq(uri ? uri_parse(&a.config.uri, uri, dir, why) : uri_of_fd(&a.config.uri), 0, "%s", why);
	a.config.rights = (struct rights){ .uid = uid, .gid = uid == getuid() ? getgid() : uid, .caps = RIGHTS_ALL };
	on_worker(f, call_attach, &a);
	if (a.err == 0)
		return (int)a.id;
	cr_expect_eq(a.config.opened.fd, fd);
	cr_expect_eq(close(fd), 0, "the port has closed what is not its own");
	uri_finish(&a.config.uri);
	return a.err;
}

int attach(struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, int fd, const char *uri)
{
	return attach_as(getuid(), f, ch, dir, node, fd, uri);
}

static void call_detached(void *data)
{
	sem_post(data);
}

static void call_detach(void *arg)
{
	struct attaching *a = arg;

	a->err = port_detach(a->ch, a->id, call_detached, &a->detached);
}

int detach(struct fixture *f, struct channel *ch, int id)
{
	struct attaching a = { .ch = ch, .id = (unsigned)id };

	sem_init(&a.detached, 0, 0);
	on_worker(f, call_detach, &a);
	while (a.err == 0 && sem_wait(&a.detached) < 0)
		;
	sem_destroy(&a.detached);
	return a.err;
}

static void call_look(void *arg)
{
	struct attaching *a = arg;
	struct report *all = report_create(a->ch);

	cr_assert(all);
	for (size_t i = 0; i < all->port_count; i++) {
		const struct port_report *r = &all->ports[i];

		if (r->id == a->id)
			a->look = (struct look){ true,       r->state,     r->err,          r->bytes,     r->lost,
						 r->clients, r->connected, r->disconnected, r->pages_ref, r->copies,
						 "" };
		memcpy(a->look.how, r->how, sizeof(r->how));
	}
	report_free(all);
}

struct look look_at(struct fixture *f, struct channel *ch, int id)
{
	struct attaching a = { .ch = ch, .id = (unsigned)id };

	on_worker(f, call_look, &a);
	return a.look;
}

struct look wait_state(struct fixture *f, struct channel *ch, int id, enum port_state state)
{
	struct look l = { 0 };

	for (int i = 0; i < 4000; i++) {
		struct timespec t;

		l = look_at(f, ch, id);
		if (l.there && l.state == state)
			return l;
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += 5000000;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		sem_timedwait(&f->ended, &t);
	}
	cr_assert_fail("port %d is %s (%s), not %s", id, l.there ? port_state_name(l.state) : "gone", strerror(-l.err),
		       port_state_name(state));
	return l;
}

char *pattern(size_t len)
{
	char *data = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 131 + i / 4093);
	return data;
}

int open_file(struct fixture *f, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	return fd;
}

int file_of(struct fixture *f, const char *name, const char *data, size_t len)
{
	int fd = open_file(f, name, O_RDWR | O_CREAT | O_TRUNC);

	cr_assert_eq(pwrite(fd, data, len, 0), (ssize_t)len);
	return fd;
}

int sink_to(struct fixture *f, struct channel *ch, uint64_t node, const char *name)
{
	int id = attach(f, ch, PORT_SINK, node, open_file(f, name, O_WRONLY | O_CREAT | O_TRUNC), NULL);

	cr_assert_gt(id, 0, "%s", strerror(-id));
	return id;
}

int source_file(struct fixture *f, struct channel *ch, const char *data, const char *name, size_t len, const char *uri)
{
	int id = attach(f, ch, PORT_SOURCE, 1, file_of(f, name, data, len), uri);

	cr_assert_gt(id, 0, "%s", strerror(-id));
	return id;
}

void expect_file(struct fixture *f, const char *name, const char *data, size_t len)
{
	int fd = open_file(f, name, O_RDONLY);
	char *buf = malloc(len + 2);
	size_t n = 0;
	ssize_t r;

	while ((r = read(fd, buf + n, len + 1 - n)) > 0)
		n += (size_t)r;
	cr_assert_eq(n, len, "%s has %zu bytes, not %zu", name, n, len);
	cr_assert_eq(memcmp(buf, data, len), 0, "%s has other bytes", name);
	free(buf);
	close(fd);
}

void expect_node(struct fixture *f, uint64_t id, const char *data, size_t len)
{
	int fd = fixture_open(f, id, O_RDONLY);
	char *buf = malloc(len + 2);
	size_t n = read_all(fd, buf, len + 1);

	cr_assert_eq(n, len, "node %d gave %zu bytes, not %zu", (int)id, n, len);
	cr_assert_eq(memcmp(buf, data, len), 0, "node %d gave other bytes", (int)id);
	free(buf);
	close(fd);
}

static void *write_thread(void *arg)
{
	struct writer *w = arg;
	int fd = fixture_open(w->f, w->id, O_RDWR);

	fcntl(fd, F_SETFL, 0);
	for (size_t done = 0; done < w->len;) {
		ssize_t n = write(fd, w->data + done, w->len - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	close(fd);
	return NULL;
}

void write_begin(struct writer *w)
{
	cr_assert_eq(pthread_create(&w->thread, NULL, write_thread, w), 0);
}

void write_end(struct writer *w)
{
	pthread_join(w->thread, NULL);
}

int tcp_listen(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	cr_assert_eq(listen(fd, 100), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

int tcp_connect(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void tcp_pair(int fds[2])
{
	int port, listening = tcp_listen(&port);

	fds[0] = tcp_connect(port);
	fds[1] = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(fds[1], 0);
	close(listening);
}

void expect_peer(int fd, const char *data, size_t len)
{
	char *buf = malloc(len + 1);

	cr_assert_eq(read_all(fd, buf, len + 1), len);
	cr_assert_eq(memcmp(buf, data, len), 0);
	free(buf);
}

int attach_listener(struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, const char *options,
		    int *port)
{
	char uri[64];
	int fd = tcp_listen(port), id;

	snprintf(uri, sizeof(uri), "tcp-listen:127.0.0.1:%d%s", *port, options);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int));
	id = attach(f, ch, dir, node, fd, uri);
	cr_assert_gt(id, 0, "%s", strerror(-id));
	return id;
}

void wait_clients(struct fixture *f, struct channel *ch, int id, unsigned n)
{
	WAIT_UNTIL(look_at(f, ch, id).connected == n);
}
