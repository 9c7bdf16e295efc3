#include "vivid.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct vivid_fault vivid_fault;
size_t vivid_shorten;
uint32_t vivid_first, vivid_sequence;
unsigned vivid_broken;
atomic_int vivid_waiter;
sem_t *_Atomic vivid_hold;

static unsigned frames;

static void note_frame(struct v4l2_buffer *buf)
{
	if (!frames++)
		vivid_first = buf->sequence;
	vivid_sequence = buf->sequence;
	vivid_broken += !!(buf->flags & V4L2_BUF_FLAG_ERROR);
	buf->bytesused -= (uint32_t)(frames * vivid_shorten);
}

/* What may take as long as the driver likes. */
static void note_wait(unsigned long request)
{
	sem_t *hold = request == VIDIOC_STREAMOFF ? atomic_load(&vivid_hold) : NULL;

	if (request == VIDIOC_STREAMOFF || request == VIDIOC_STREAMON || request == VIDIOC_REQBUFS ||
	    request == VIDIOC_S_FMT)
		atomic_store(&vivid_waiter, gettid());
	while (hold && sem_wait(hold) < 0)
		;
}

/* In the place of the C library's, for this program. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (vivid_fault.err && vivid_fault.request == request && !vivid_fault.after--) {
		errno = vivid_fault.err;
		if (vivid_fault.once)
			vivid_fault.err = 0;
		else
			vivid_fault.after = 0;
		return -1;
	}
	note_wait(request);
	ret = (int)syscall(SYS_ioctl, fd, request, arg);
	if (ret == 0 && request == VIDIOC_DQBUF)
		note_frame(arg);
	return ret;
}

/* Whether the device's capture node is called @card-vid-cap. */
static int is_capture(const char *node, const char *card)
{
	char path[320], name[64] = "", want[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/name", node);
	snprintf(want, sizeof(want), "%s-vid-cap\n", card);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(name, sizeof(name), f))
			name[0] = '\0';
		fclose(f);
	}
	return !strcmp(name, want);
}

int vivid_open(const char *card)
{
	DIR *dir = opendir("/sys/class/video4linux");
	struct dirent *d;
	char path[320];
	int fd = -1;

	cr_assert(dir, "no cameras here: scripts/test --vm has them");
	while (fd < 0 && (d = readdir(dir)))
		if (is_capture(d->d_name, card)) {
			snprintf(path, sizeof(path), "/dev/%s", d->d_name);
			fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
			cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
		}
	closedir(dir);
	cr_assert_geq(fd, 0, "no camera %s", card);
	return fd;
}

void vivid_control(int fd, const char *name, int value)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (ioctl(fd, VIDIOC_QUERYCTRL, &query) == 0) {
		if (!strcmp((char *)query.name, name)) {
			struct v4l2_control control = { .id = query.id, .value = value };

			cr_assert_eq(ioctl(fd, VIDIOC_S_CTRL, &control), 0, "%s: %s", name, strerror(errno));
			return;
		}
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	cr_assert(0, "no control '%s'", name);
}

int vivid_next(struct camera *cam)
{
	struct pollfd p = { .fd = camera_fd(cam), .events = POLLIN };
	int err;

	while ((err = camera_next(cam)) == -EAGAIN || err == 0) {
		if (err == 0)
			cr_assert_eq(camera_fall_back(cam), 0);
		else
			cr_assert_eq(poll(&p, 1, 10000), 1, "no frame came");
	}
	return err;
}

struct pipe vivid_pipe(void)
{
	struct pipe p;

	cr_assert_eq(pipe_open(&p, PIPE_SIZE), PIPE_SIZE);
	return p;
}

/* A descriptor of this process whose link begins with @what, or -1. */
static int find_fd(const char *what)
{
	char path[64], target[64];

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && !strncmp(target, what, strlen(what)))
			return fd;
	}
	return -1;
}

int vivid_memfd(void)
{
	int fd = find_fd("/memfd:spfs-camera");

	cr_assert_geq(fd, 0, "no memfd");
	return fd;
}

int vivid_is_open(void)
{
	return find_fd("/dev/video") >= 0;
}

int vivid_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -1;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}
