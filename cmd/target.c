#include "target.h"

#include <errno.h>
#include <unistd.h>

#include "complaint.h"
#include "control.h"
#include "output.h"

int target_open(struct target *t, const char *path, enum target_kind kind)
{
	int err = place_find(&t->place, path);

	t->what = path;
	t->control = -1;
	if (err < 0) {
		complaint_print(path,
				err == -EOPNOTSUPP && kind == TARGET_MOUNT ? "not a mount of spfs" : place_reason(err));
		return -1;
	}
	t->control = control_connect(&t->place);
	if (t->control >= 0)
		return 0;
	complaint_print(path, control_reason(t->control));
	return -1;
}

json_t *target_request(const struct target *t, const char *op)
{
	return json_pack("{ss so}", "op", op, "channel", output_string(*t->place.inside ? t->place.inside : "/"));
}

json_t *target_ask(struct target *t, json_t *request, int pass)
{
	json_t *answer;
	int err = control_ask(t->control, request, pass, &answer);
	const char *why = err < 0 ? control_reason(err) : control_error(answer);

	if (!why)
		return answer;
	complaint_print(t->what, why);
	json_decref(answer);
	return NULL;
}

void target_close(struct target *t)
{
	if (t->control >= 0)
		close(t->control);
	t->control = -1;
}
