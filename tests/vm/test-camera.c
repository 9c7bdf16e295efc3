/*
 * Cameras of the driver vivid, in the guest of scripts/vm. Its frames carry a counter at the top, so that no two are
 * alike, and the same colours further down.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/mman.h>
#include <unistd.h>

#include "camera.h"
#include "vivid.h"

#define WIDTH 640
#define HEIGHT 360
#define SIZE ((size_t)WIDTH * HEIGHT * 2)
#define PAGES ((SIZE + 4095) / 4096)

/* So many frames wait in pipes while MANY go by. The driver has 4 buffers. */
#define HELD 8
#define MANY 40

static const struct camera_wish wish = { .width = WIDTH, .height = HEIGHT, .format = V4L2_PIX_FMT_YUYV, .fps = 30 };
static struct camera *cam;
static struct camera_counts counts;
static char why[URI_WHY_MAX];
static int fds;

static void start(void)
{
	fds = vivid_count_fds();
}

static void stop(void)
{
	camera_close(cam);
	cr_expect_eq(vivid_count_fds(), fds, "descriptors are left");
}

TestSuite(camera, .init = start, .fini = stop, .timeout = 60);

static void open_camera(const char *card, const char *method)
{
	int err = camera_open(&cam, vivid_open(card), &wish, why);

	cr_assert_eq(err, 0, "%s: %s", strerror(-err), why);
	cr_assert_str_eq(camera_method(cam), method);
	cr_assert_str_eq(camera_format(cam), "640x360 YUYV 30 fps");
}

static void refused(const struct camera_wish *asked, int fd, int err, const char *text)
{
	cr_assert_eq(camera_open(&cam, fd, asked, why), err, "%s", why);
	cr_assert(strstr(why, text), "'%s' does not say '%s'", why, text);
	cam = NULL;
}

/* Moves the frame at hand whole into the empty @pipe. Returns its length. */
static size_t move_frame(int pipe)
{
	size_t len = 0;
	ssize_t n;

	while ((n = camera_move(cam, pipe)) > 0)
		len += (size_t)n;
	cr_assert_eq(n, 0, "%s", strerror((int)-n));
	return len;
}

/* The next frame through a pipe; returns its length. */
static size_t get_frame(char *frame)
{
	struct pipe p = vivid_pipe();
	size_t len;

	cr_assert_eq(vivid_next(cam), 1);
	len = move_frame(p.wr);
	cr_assert_eq(read(p.rd, frame, SIZE), (ssize_t)len);
	pipe_close(&p);
	return len;
}

/* What @p holds now, and goes on holding. */
static void look(struct pipe *p, char *frame)
{
	struct pipe copy = vivid_pipe();

	cr_assert_eq(tee(p->rd, copy.wr, SIZE, 0), (ssize_t)SIZE);
	cr_assert_eq(read(copy.rd, frame, SIZE), (ssize_t)SIZE);
	pipe_close(&copy);
}

/* The same picture below the counter, and another counter. */
static void expect_successor(const char *frame, const char *next)
{
	cr_assert_neq(memcmp(frame, next, SIZE / 2), 0, "the same frame twice");
	cr_assert_eq(memcmp(frame + SIZE / 2, next + SIZE / 2, SIZE / 2), 0, "torn");
}

/* Frames in pipes stay what they were while many more come, and when the camera has gone. */
static void frames_stay(void)
{
	static char then[HELD][SIZE], now[SIZE];
	struct pipe held[HELD];

	for (int i = 0; i < HELD; i++) {
		held[i] = vivid_pipe();
		cr_assert_eq(vivid_next(cam), 1);
		cr_assert_eq(move_frame(held[i].wr), SIZE);
		look(&held[i], then[i]);
		if (i > 0)
			expect_successor(then[i - 1], then[i]);
	}
	for (int i = HELD; i < MANY; i++)
		cr_assert_eq(get_frame(now), SIZE);
	camera_counts(cam, &counts);
	for (int closed = 0; closed < 2; closed++) {
		for (int i = 0; i < HELD; i++) {
			look(&held[i], now);
			cr_assert_eq(memcmp(then[i], now, SIZE), 0, "frame %d has changed", i);
		}
		camera_close(cam);
		cam = NULL;
	}
	for (int i = 0; i < HELD; i++)
		pipe_close(&held[i]);
	cr_assert_eq(counts.frames, MANY);
}

Test(camera, frames_of_vmalloc_go_by_reference_and_stay)
{
	open_camera("vivid-000", "userptr");
	frames_stay();
	cr_assert_eq(counts.pages_ref, MANY * PAGES);
	cr_assert_eq(counts.copies, 0);
}

Test(camera, frames_of_dma_contig_are_copied)
{
	open_camera("vivid-001", "mmap");
	frames_stay();
	cr_assert_eq(counts.pages_ref, 0);
	cr_assert_geq(counts.copies, MANY);
}

Test(camera, multiplanar_frames_go_by_reference_and_stay)
{
	open_camera("vivid-002", "userptr");
	frames_stay();
	cr_assert_eq(counts.pages_ref, MANY * PAGES);
}

/* The pages in the pipe are those of the memfd: what is written there shows. */
Test(camera, by_reference_means_the_same_page)
{
	static char frame[SIZE];
	struct pipe p = vivid_pipe();
	size_t moved = 0, size = PAGES * 4096 * 5;
	char *mem;

	open_camera("vivid-000", "userptr");
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vivid_memfd(), 0);
	cr_assert_neq(mem, MAP_FAILED);
	cr_assert_eq(vivid_next(cam), 1);
	while (moved < SIZE)
		moved += (size_t)camera_move(cam, p.wr);
	for (size_t slot = 0; slot < 5; slot++)
		memcpy(mem + slot * PAGES * 4096, "here", 4);
	cr_assert_eq(read(p.rd, frame, SIZE), (ssize_t)SIZE);
	cr_assert_eq(memcmp(frame, "here", 4), 0);
	munmap(mem, size);
	pipe_close(&p);
}

Test(camera, read_is_the_last_resort)
{
	static char frame[2][SIZE];

	vivid_fault = (struct vivid_fault){ .request = VIDIOC_REQBUFS, .err = ENOTTY };
	open_camera("vivid-000", "read");
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(get_frame(frame[i % 2]), SIZE);
		if (i > 0)
			expect_successor(frame[(i - 1) % 2], frame[i % 2]);
	}
	camera_counts(cam, &counts);
	cr_assert_eq(counts.pages_ref, 0);
	cr_assert_geq(counts.copies, 12);
}

Test(camera, goes_on_with_another_method_where_a_buffer_is_refused)
{
	static char frame[2][SIZE];

	vivid_fault = (struct vivid_fault){ .request = VIDIOC_QBUF, .err = EFAULT, .after = 10, .once = 1 };
	open_camera("vivid-000", "userptr");
	for (int i = 0; i < 14; i++) {
		cr_assert_eq(get_frame(frame[i % 2]), SIZE);
		if (i > 0)
			expect_successor(frame[(i - 1) % 2], frame[i % 2]);
	}
	cr_assert_str_eq(camera_method(cam), "mmap");
}

Test(camera, goes_through_a_pipe_smaller_than_a_frame)
{
	static char frame[2][SIZE];
	int fd[2];
	ssize_t n;

	open_camera("vivid-000", "userptr");
	cr_assert_eq(get_frame(frame[0]), SIZE);
	cr_assert_eq(pipe2(fd, O_NONBLOCK), 0);
	cr_assert_eq(vivid_next(cam), 1);
	for (size_t got = 0; got < SIZE; got += (size_t)n) {
		n = camera_move(cam, fd[1]);
		cr_assert(n >= 0 || n == -EAGAIN);
		n = read(fd[0], frame[1] + got, 10001);
		cr_assert_gt(n, 0);
	}
	expect_successor(frame[0], frame[1]);
	close(fd[0]);
	close(fd[1]);
}

Test(camera, compressed_frames_have_lengths_of_their_own)
{
	static char frame[SIZE];

	open_camera("vivid-000", "userptr");
	vivid_shorten = 1001;
	for (size_t i = 1; i < 10; i++)
		cr_assert_eq(get_frame(frame), SIZE - i * vivid_shorten);
}

Test(camera, counts_what_is_lost)
{
	static char frame[SIZE];

	open_camera("vivid-000", "userptr");
	get_frame(frame);
	cr_assert_eq(vivid_next(cam), 1);
	camera_drop(cam);
	camera_counts(cam, &counts);
	cr_assert_eq(counts.frames, 1);
	cr_assert_geq(counts.dropped, 1);

	vivid_control(camera_fd(cam), "Inject V4L2_BUF_FLAG_ERROR", 1);
	for (int i = 0; i < 8; i++)
		get_frame(frame);
	cr_assert_eq(vivid_broken, 1);
	vivid_control(camera_fd(cam), "Percentage of Dropped Buffers", 50);
	for (int i = 0; i < 20; i++)
		get_frame(frame);
	vivid_control(camera_fd(cam), "Percentage of Dropped Buffers", 0);
	camera_counts(cam, &counts);
	/* (and what this slow machine had no time for) */
	cr_assert_eq(counts.frames + counts.dropped, vivid_sequence + 1 - vivid_first);
	cr_assert_geq(counts.dropped, 5);
}

Test(camera, says_what_the_device_offers)
{
	struct camera_wish other = wish;

	other.width = 641;
	refused(&other, vivid_open("vivid-000"), -EINVAL, "offers 640x360 YUYV");
	other = wish;
	other.format = v4l2_fourcc('N', 'O', 'N', 'E');
	refused(&other, vivid_open("vivid-000"), -EINVAL, "not 640x360 NONE: the device offers 640x360 ");
	other = wish;
	other.fps = 1000;
	refused(&other, vivid_open("vivid-000"), -EINVAL, "not 1000 fps: the device offers 640x360 YUYV ");
	other = wish;
	other.format = V4L2_PIX_FMT_NV16M;
	refused(&other, vivid_open("vivid-002"), -EINVAL, "comes in 2 pieces");
	refused(&wish, open("/dev/null", O_RDWR), -ENOTTY, "not a V4L2 device");
}

Test(camera, takes_what_the_device_has)
{
	struct camera_wish nothing = { 0 };

	open_camera("vivid-000", "userptr");
	camera_close(cam);
	cr_assert_eq(camera_open(&cam, vivid_open("vivid-000"), &nothing, why), 0, "%s", why);
	cr_assert_str_eq(camera_format(cam), "640x360 YUYV 30 fps");
}

Test(camera, is_busy_while_another_has_it)
{
	struct camera *first;

	open_camera("vivid-000", "userptr");
	first = cam;
	refused(&wish, vivid_open("vivid-000"), -EBUSY, "busy");
	cam = first;
}

Test(camera, ends_when_unplugged)
{
	static char frame[SIZE];
	int err;

	open_camera("vivid-003", "userptr");
	get_frame(frame);
	vivid_control(camera_fd(cam), "Disconnect", 1);
	while ((err = vivid_next(cam)) == 1)
		camera_drop(cam);
	cr_assert_eq(err, -ENODEV, "%s", strerror(-err));
	cr_assert_eq(camera_next(cam), -ENODEV);
}
