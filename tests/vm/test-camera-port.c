/* A camera as a source: what may wait for its driver is not done on the worker. (Cameras of vivid: see test-camera.c.) */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "attached.h"
#include "port-camera.h"
#include "vivid.h"

#define WIDTH 640
#define HEIGHT 360
#define SIZE ((size_t)WIDTH * HEIGHT * 2)
#define FRAMES 14

static struct fixture f;
static struct channel *ch;
static sem_t hold;

static void start(void)
{
	fixture_start(&f);
	ch = fixture_channel(&f, 0);
	sem_init(&hold, 0, 0);
}

static void stop(void)
{
	if (ch)
		fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(camera_port, .init = start, .fini = stop, .timeout = 60);

struct attaching {
	struct port_config config;
	unsigned id;
	int err;
};

static void call_attach(void *arg)
{
	struct attaching *a = arg;
	char why[URI_WHY_MAX];

	a->err = port_attach(ch, &a->config, &a->id, why);
}

/* A camera that refuses a buffer after a few frames, so that they must be taken in another way. */
static int attach_camera(void)
{
	const struct camera_wish wish = { .width = WIDTH, .height = HEIGHT, .format = V4L2_PIX_FMT_YUYV, .fps = 30 };
	struct attaching a = { .config = { .dir = PORT_SOURCE, .node = 1 } };
	struct camera *cam = NULL;
	char why[URI_WHY_MAX];
	int err;

	vivid_fault = (struct vivid_fault){ .request = VIDIOC_QBUF, .err = EFAULT, .after = 10, .once = 1 };
	err = camera_open(&cam, vivid_open("vivid-000"), &wish, why);
	cr_assert_eq(err, 0, "%s", why);
	cr_assert_eq(uri_parse(&a.config.uri, "v4l2:/dev/video?frames=14", PORT_SOURCE, why), 0, "%s", why);
	a.config.rights = (struct rights){ .uid = getuid(), .gid = getgid(), .caps = RIGHTS_ALL };
	a.config.opened = camera_opened(cam);
	atomic_store(&vivid_waiter, 0);
	on_worker(&f, call_attach, &a);
	cr_assert_eq(a.err, 0, "%s", strerror(-a.err));
	return (int)a.id;
}

/* Reads the stream's first @frames. */
static void expect_frames(int fd, size_t frames)
{
	static char frame[SIZE];

	for (size_t i = 0; i < frames; i++)
		cr_assert_eq(read_all(fd, frame, SIZE), SIZE, "frame %zu", i);
}

Test(camera_port, starts_anew_on_another_thread)
{
	int fd = fixture_open(&f, 1, O_RDONLY), id = attach_camera();

	expect_frames(fd, FRAMES);
	wait_state(&f, ch, id, PORT_DONE);
	cr_expect_neq(atomic_load(&vivid_waiter), 0, "it has not started anew");
	cr_expect_neq(atomic_load(&vivid_waiter), loop_thread(f.worker->loop));
	cr_expect_str_eq(look_at(&f, ch, id).how, "mmap");
	close(fd);
}

Test(camera_port, that_does_not_stop_holds_up_nothing_but_its_end)
{
	int fd = fixture_open(&f, 1, O_RDONLY), id;

	atomic_store(&vivid_hold, &hold);
	id = attach_camera();
	expect_frames(fd, 6);
	WAIT_UNTIL(atomic_load(&vivid_waiter));
	cr_expect_eq(look_at(&f, ch, id).state, PORT_RUNNING);
	atomic_store(&vivid_hold, NULL);
	sem_post(&hold);
	cr_expect_eq(detach(&f, ch, id), 0);
	close(fd);
}

/* The channel goes meanwhile: the camera is closed once it can be. */
Test(camera_port, that_does_not_stop_holds_up_no_end)
{
	int fd = fixture_open(&f, 1, O_RDONLY);

	atomic_store(&vivid_hold, &hold);
	attach_camera();
	expect_frames(fd, 6);
	WAIT_UNTIL(atomic_load(&vivid_waiter));
	fixture_destroy(&f, ch);
	ch = NULL;
	close(fd);
	atomic_store(&vivid_hold, NULL);
	sem_post(&hold);
	WAIT_UNTIL(!vivid_is_open());
}
