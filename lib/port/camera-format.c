/* What a camera delivers: what the user wishes, or what the device has. Nothing is converted. */
#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

#include "camera-device.h"

/* The part of a format that both kinds of device have. */
struct picture {
	uint32_t width, height, fourcc;
	uint32_t planes; /* the memory areas of one frame */
	size_t size;     /* bytes of the first */
};

static bool camera_is_multiplanar(const struct camera *cam)
{
	return cam->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

static void camera_picture_get(const struct camera *cam, const struct v4l2_format *f, struct picture *p)
{
	if (camera_is_multiplanar(cam))
		*p = (struct picture){ f->fmt.pix_mp.width, f->fmt.pix_mp.height, f->fmt.pix_mp.pixelformat,
				       f->fmt.pix_mp.num_planes, f->fmt.pix_mp.plane_fmt[0].sizeimage };
	else
		*p = (struct picture){ f->fmt.pix.width, f->fmt.pix.height, f->fmt.pix.pixelformat, 1,
				       f->fmt.pix.sizeimage };
}

/* Asks for another picture; the driver works out sizes and the rest. */
static void camera_picture_set(const struct camera *cam, struct v4l2_format *f, const struct picture *p)
{
	memset(&f->fmt, 0, sizeof(f->fmt));
	if (camera_is_multiplanar(cam)) {
		f->fmt.pix_mp.width = p->width;
		f->fmt.pix_mp.height = p->height;
		f->fmt.pix_mp.pixelformat = p->fourcc;
	} else {
		f->fmt.pix.width = p->width;
		f->fmt.pix.height = p->height;
		f->fmt.pix.pixelformat = p->fourcc;
	}
}

/* "640x360 YUYV"; a fourcc may have spaces at its end, and bit 31 for big endian. Returns the length. */
static int camera_picture_print(const struct picture *p, char *text, size_t size)
{
	char code[5] = { 0 };

	for (int i = 0; i < 4; i++) {
		char c = (char)(p->fourcc >> 8 * i & 0x7f);

		code[i] = c > ' ' ? c : '\0';
	}
	return snprintf(text, size, "%ux%u %s%s", p->width, p->height, code, p->fourcc >> 31 ? "-BE" : "");
}

static int camera_find_type(struct camera *cam, char why[URI_WHY_MAX])
{
	struct v4l2_capability cap = { 0 };
	int err = camera_ioctl(cam, VIDIOC_QUERYCAP, &cap);

	if (err) {
		snprintf(why, URI_WHY_MAX, "not a V4L2 device: %s", strerror(-err));
		return err;
	}
	cam->caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	if (cam->caps & V4L2_CAP_VIDEO_CAPTURE) {
		cam->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	} else if (cam->caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE) {
		cam->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	} else {
		snprintf(why, URI_WHY_MAX, "%.32s does not capture video here", (char *)cap.card);
		return -EINVAL;
	}
	return 0;
}

static int camera_agree_picture(struct camera *cam, const struct camera_wish *wish, struct picture *got,
				char why[URI_WHY_MAX])
{
	struct v4l2_format f = { .type = cam->type };
	struct picture want;
	int err = camera_ioctl(cam, VIDIOC_G_FMT, &f);

	if (!err) {
		camera_picture_get(cam, &f, &want);
		want.width = wish->width ? wish->width : want.width;
		want.height = wish->height ? wish->height : want.height;
		want.fourcc = wish->format ? wish->format : want.fourcc;
		if (wish->width || wish->height || wish->format) {
			camera_picture_set(cam, &f, &want);
			err = camera_ioctl(cam, VIDIOC_S_FMT, &f);
		}
	}
	if (err) {
		snprintf(why, URI_WHY_MAX, "cannot agree on a format: %s", strerror(-err));
		return err;
	}
	camera_picture_get(cam, &f, got);
	camera_picture_print(got, cam->format, sizeof(cam->format));
	if ((wish->width && wish->width != got->width) || (wish->height && wish->height != got->height) ||
	    (wish->format && wish->format != got->fourcc)) {
		char asked[48];

		camera_picture_print(&want, asked, sizeof(asked));
		snprintf(why, URI_WHY_MAX, "not %s: the device offers %s", asked, cam->format);
		return -EINVAL;
	}
	if (got->planes != 1 || !got->size) {
		snprintf(why, URI_WHY_MAX, "%s comes in %u pieces a frame: choose another format", cam->format,
			 got->planes);
		return -EINVAL;
	}
	return 0;
}

/* The time per frame, set where @fps is wished. 29.97 is 30: what counts is the nearest whole number. */
static int camera_agree_rate(struct camera *cam, unsigned fps, char why[URI_WHY_MAX])
{
	struct v4l2_streamparm parm = { .type = cam->type };
	const struct v4l2_fract *time = &parm.parm.capture.timeperframe;
	int err = camera_ioctl(cam, VIDIOC_G_PARM, &parm);
	size_t len = strlen(cam->format);
	double rate;

	if (!err && fps) {
		parm.parm.capture.timeperframe = (struct v4l2_fract){ 1, fps };
		err = camera_ioctl(cam, VIDIOC_S_PARM, &parm);
	}
	if (!err && !(parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME))
		err = -ENOTTY;
	if (err) {
		if (!fps)
			return 0;
		snprintf(why, URI_WHY_MAX, "the frame rate cannot be set: %s", strerror(-err));
		return -EINVAL;
	}
	if (!time->numerator || !time->denominator)
		return 0;
	rate = (double)time->denominator / time->numerator;
	snprintf(cam->format + len, sizeof(cam->format) - len, " %.4g fps", rate);
	if (fps && (unsigned)(rate + 0.5) != fps) {
		snprintf(why, URI_WHY_MAX, "not %u fps: the device offers %s", fps, cam->format);
		return -EINVAL;
	}
	return 0;
}

int camera_negotiate(struct camera *cam, const struct camera_wish *wish, char why[URI_WHY_MAX])
{
	struct picture got;
	int err = camera_find_type(cam, why);

	if (!err)
		err = camera_agree_picture(cam, wish, &got, why);
	if (!err)
		err = camera_agree_rate(cam, wish->fps, why);
	if (!err)
		cam->size = got.size;
	return err;
}
