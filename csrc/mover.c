#include "mover.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "batch.h"
#include "syscalls.h"

/* No status of the kernel: what it has not written stays recognisable. */
#define UNWRITTEN INT_MIN

struct moving {
	struct pm_batch batch; /* first: a moving is a batch */
	const struct pm_mover *mover;
	/* Room for as many as the batch has: where pages go, and which page each address is. */
	int *targets;
	uint32_t *index;
	size_t listed;
	bool refused; /* some call did not move all that it was given */
};

/* -- moving */

static void list_pages_for(struct moving *moving, int target)
{
	moving->listed = 0;
	for (size_t i = 0; i < moving->batch.count; i++) {
		const struct pm_page *page = &moving->batch.pages[i];

		if (page->outcome == PM_ASKED &&
		    pm_route_of(&moving->mover->subject, page->node)->target == target)
			moving->index[moving->listed++] = (uint32_t)i;
	}
}

static struct pm_page *listed_page(const struct moving *moving, size_t i)
{
	return &moving->batch.pages[moving->index[i]];
}

/*
 * Whether the process has ended, so that its pid may be another's by now. Its memory does not say:
 * that stays as long as anybody is at work on it, such as another worker.
 */
static bool has_ended(const struct pm_mover *mover)
{
	struct pollfd end = {.fd = mover->pidfd, .events = POLLIN};

	return poll(&end, 1, 0) > 0;
}

/* One call for the listed pages. All go to one node: the kernel starts anew where that changes. */
static long move_listed(struct moving *moving, int target)
{
	struct pm_batch *batch = &moving->batch;

	for (size_t i = 0; i < moving->listed; i++) {
		batch->addresses[i] = pm_at(listed_page(moving, i)->address);
		moving->targets[i] = target;
		batch->status[i] = UNWRITTEN;
	}
	if (has_ended(moving->mover))
		return -ESRCH;
	return pm_move_pages(batch->subject->pid, moving->listed, batch->addresses, moving->targets,
			     batch->status, moving->mover->flags);
}

/*
 * How many of the listed pages a call has dealt with. It queues pages up to one that it cannot queue,
 * whose status it writes, and moves them. If that fails it ends, and of those in the queue it writes
 * no status.
 */
static size_t dealt_with(const struct moving *moving, long result)
{
	const int *status = moving->batch.status;
	size_t i = 0;

	if (result <= 0)
		return moving->listed; /* what stopped it stops it for the others too */
	while (i < moving->listed && status[i] != UNWRITTEN)
		i++;
	while (i < moving->listed && status[i] == UNWRITTEN)
		i++;
	return i < moving->listed ? i + 1 : i;
}

/*
 * Why a page is still on its node, by its status, or else by the result of the call; and whether it
 * was left behind before.
 */
static int why_left(int status, long result, bool again)
{
	switch (status != UNWRITTEN || result > 0 ? status : result) {
	case UNWRITTEN: /* it would not let go, as often as the kernel tried */
	case -EBUSY:
	case -ENOENT: /* was away for a moment */
		return PM_BUSY;
	case -EACCES:
		return status == UNWRITTEN ? PM_NOT_ALLOWED : PM_SHARED_PAGE;
	case -ENODEV:
		return PM_NOT_ALLOWED;
	case -ENOMEM:
		return PM_NO_MEMORY;
	case -EFAULT: /* unmapped for a moment, or a mapping that the kernel does not migrate */
		return again ? PM_UNMOVABLE : PM_BUSY;
	default:
		return PM_UNMOVABLE;
	}
}

static int outcome_of(const struct moving *moving, const struct pm_page *page, int node, int target)
{
	if (node == target)
		return PM_MOVED;
	return pm_is_hidden(&moving->mover->subject, page->address, node) ? PM_HIDDEN : PM_VANISHED;
}

/*
 * Settles the pages that a call has dealt with; the others stay listed. What the kernel does not say
 * has arrived is looked at again: it writes no status for a queue that failed, and says -EBUSY of
 * pages that moved as part of a huge one. Returns 0 or -errno; what it could not look at then stays
 * asked for.
 */
static int settle(struct moving *moving, int target, long result)
{
	struct pm_batch *batch = &moving->batch;
	size_t dealt = dealt_with(moving, result);
	size_t unsure = 0;

	for (size_t i = 0; i < dealt; i++) {
		struct pm_page *page = listed_page(moving, i);

		if (batch->status[i] == target) {
			page->outcome = PM_MOVED;
			continue;
		}
		moving->targets[unsure] = batch->status[i]; /* kept while status is written anew */
		batch->addresses[unsure] = pm_at(page->address);
		moving->index[unsure++] = moving->index[i];
	}

	int error = pm_query(batch->subject->pid, batch->addresses, unsure, batch->status);

	if (error < 0)
		return error;
	for (size_t i = 0; i < unsure; i++) {
		struct pm_page *page = listed_page(moving, i);

		page->outcome = batch->status[i] == page->node
					? why_left(moving->targets[i], result,
						   pm_was_left(batch, page))
					: outcome_of(moving, page, batch->status[i], target);
	}
	for (size_t i = dealt; i < moving->listed; i++)
		moving->index[i - dealt] = moving->index[i];
	moving->listed -= dealt;
	return 0;
}

/* Moves all pages that go to @target. Returns 0, or a negative errno that ends the operation. */
static int move_to(struct moving *moving, int target)
{
	list_pages_for(moving, target);
	while (moving->listed > 0) {
		long result = move_listed(moving, target);

		/* Checked before anything is moved. */
		if (result == -ESRCH || result == -EPERM || result == -EINVAL || result == -ENOSYS)
			return (int)result;
		moving->refused |= result != 0;

		int error = settle(moving, target, result);

		if (error < 0)
			return error;
	}
	return 0;
}

static int move_all(struct moving *moving)
{
	const struct pm_subject *subject = &moving->mover->subject;

	for (uint32_t node = 0; node < subject->nodes; node++) {
		int target = subject->routes[node].target;
		int error = 0;

		/* Two sources may share a target: the first of them takes the pages of both. */
		if (target >= 0)
			error = move_to(moving, target);
		if (error < 0)
			return error;
	}
	return 0;
}

/* -- accounting */

/*
 * A transparent huge page that did not simply move may have been split on the way, so that each of
 * its base pages has a fate of its own.
 */
static void count_split(struct pm_batch *batch, const struct pm_page *page)
{
	enum {
		SOME = 64
	};
	const struct pm_route *route = pm_route_of(batch->subject, page->node);
	uint64_t size = batch->subject->memory.page_size;
	uint32_t slot = pm_slot_of(batch, page->address);
	void *addresses[SOME];
	int status[SOME];

	for (uint32_t first = 0; first < page->span; first += SOME) {
		uint32_t some = page->span - first < SOME ? page->span - first : SOME;

		for (uint32_t i = 0; i < some; i++)
			addresses[i] = pm_at(page->address + (first + i) * size);

		int error = pm_query(batch->subject->pid, addresses, some, status);

		for (uint32_t i = 0; i < some; i++) {
			int column = page->outcome == PM_MOVED ? PM_BUSY : page->outcome;

			if (error < 0 || (status[i] != route->target && status[i] != page->node))
				column = PM_VANISHED;
			else if (status[i] == route->target)
				column = PM_MOVED;
			pm_count(&batch->step->tally, slot + first + i, route->rank, page->kind,
				 (enum pm_column)column);
		}
	}
}

static void count_page(struct pm_batch *batch, const struct pm_page *page)
{
	const struct moving *moving = (const struct moving *)batch;
	const struct pm_route *route = pm_route_of(batch->subject, page->node);

	if (page->thp && moving->refused && route->target >= 0 && page->outcome != PM_VANISHED)
		count_split(batch, page);
	else
		pm_count_whole(batch, page, page->outcome);
}

/* -- the step */

static int look_and_move(struct moving *moving)
{
	struct pm_batch *batch = &moving->batch;
	int error = pm_batch_look(batch, moving->mover->targets);

	if (error == 0)
		error = move_all(moving);
	return pm_batch_count(batch, error, count_page);
}

int pm_move_step(const struct pm_mover *mover, struct pm_step *step)
{
	struct moving moving = {
		.batch = {.subject = &mover->subject, .step = step},
		.mover = mover,
		.targets = pm_array(step->limit, sizeof(*moving.targets)),
		.index = pm_array(step->limit, sizeof(*moving.index)),
	};
	int error = moving.targets && moving.index ? pm_batch_open(&moving.batch) : -ENOMEM;

	if (error == 0)
		error = look_and_move(&moving);
	pm_batch_close(&moving.batch);
	free(moving.targets);
	free(moving.index);
	return error;
}
