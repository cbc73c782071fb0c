#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "mover.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "syscalls.h"

/* No status of the kernel: what it has not written stays recognisable. */
#define UNWRITTEN INT_MIN

/*
 * A 32-bit process that asks for more at once gets garbage from many kernels: compat pointers were
 * read at the stride of native ones from the second chunk of DO_PAGES_STAT_CHUNK_NR on.
 */
#define QUERY_MAX (sizeof(void *) == 4 ? 16 : SIZE_MAX)

#define NOT_COUNTED (-1)

struct batch {
	const struct pm_mover *mover;
	struct pm_step *step;
	struct pm_page *pages;
	size_t count;
	/* Room for `limit` of each: the arguments of move_pages, and which page each belongs to. */
	void **addresses;
	int *targets;
	int *status;
	uint32_t *index;
	size_t listed;
	bool refused; /* some call did not move all that it was given */
};

/* -- looking */

static int query(int pid, void **addresses, size_t count, int *ret_status)
{
	for (size_t done = 0; done < count;) {
		size_t some = count - done < QUERY_MAX ? count - done : QUERY_MAX;
		long result = pm_move_pages(pid, some, addresses + done, NULL, ret_status + done,
					    0);

		if (result < 0)
			return (int)result;
		done += some;
	}
	return 0;
}

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* The number of the base page at an address, which is that of its mark. */
static uint32_t slot_of(const struct batch *batch, uint64_t address)
{
	return (uint32_t)((address - batch->step->start) / batch->mover->memory.page_size);
}

static const struct pm_route *route_of(const struct pm_mover *mover, int node)
{
	static const struct pm_route none = {.target = -1};

	return node >= 0 && (uint32_t)node < mover->nodes ? &mover->routes[node] : &none;
}

/* Fills in the node of each page, or the negative errno that the kernel gives for it. */
static int find_nodes(struct batch *batch)
{
	int error;

	for (size_t i = 0; i < batch->count; i++)
		batch->addresses[i] = at(batch->pages[i].address);
	error = query(batch->mover->pid, batch->addresses, batch->count, batch->status);
	for (size_t i = 0; i < batch->count; i++)
		batch->pages[i].node = error < 0 ? error : batch->status[i];
	return error;
}

/* A page that move_pages(2) says is absent, and that is in the page table all the same. */
static bool is_hidden(const struct pm_mover *mover, const struct pm_page *page, int node)
{
	return node == -ENOENT && mover->hides && pm_is_present(&mover->memory, page->address);
}

/* What the look alone decides; PM_ASKED stands for "has to move". */
static int judge(const struct batch *batch, const struct pm_page *page)
{
	const struct pm_mover *mover = batch->mover;
	pm_mark mark = batch->step->tally.marks[slot_of(batch, page->address)];
	bool owed = pm_is_owed(mark);

	if (pm_is_done(mark))
		return NOT_COUNTED;
	if (is_hidden(mover, page, page->node)) {
		if (owed)
			return PM_HIDDEN;
		batch->step->hidden += page->span;
		return NOT_COUNTED;
	}
	if (owed && mover->targets[pm_owed_rank(mark)] == page->node)
		return PM_MOVED;
	if (route_of(mover, page->node)->target >= 0)
		return PM_ASKED;
	return owed ? PM_VANISHED : NOT_COUNTED;
}

/* -- moving */

static void list_pages_for(struct batch *batch, int target)
{
	batch->listed = 0;
	for (size_t i = 0; i < batch->count; i++) {
		const struct pm_page *page = &batch->pages[i];

		if (page->outcome == PM_ASKED &&
		    route_of(batch->mover, page->node)->target == target)
			batch->index[batch->listed++] = (uint32_t)i;
	}
}

static struct pm_page *listed_page(const struct batch *batch, size_t i)
{
	return &batch->pages[batch->index[i]];
}

/* One call for the listed pages. All go to one node: the kernel starts anew where that changes. */
static long move_listed(struct batch *batch, int target)
{
	for (size_t i = 0; i < batch->listed; i++) {
		batch->addresses[i] = at(listed_page(batch, i)->address);
		batch->targets[i] = target;
		batch->status[i] = UNWRITTEN;
	}
	return pm_move_pages(batch->mover->pid, batch->listed, batch->addresses, batch->targets,
			     batch->status, batch->mover->flags);
}

/*
 * How many of the listed pages a call has dealt with. It queues pages up to one that it cannot queue,
 * whose status it writes, and moves them. If that fails it ends, and of those in the queue it writes
 * no status.
 */
static size_t dealt_with(const struct batch *batch, long result)
{
	size_t i = 0;

	if (result <= 0)
		return batch->listed; /* what stopped it stops it for the others too */
	while (i < batch->listed && batch->status[i] != UNWRITTEN)
		i++;
	while (i < batch->listed && batch->status[i] == UNWRITTEN)
		i++;
	return i < batch->listed ? i + 1 : i;
}

/* Why a page is still on its node, by its status, or else by the result of the call. */
static int why_left(int status, long result)
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
	default:
		return PM_UNMOVABLE;
	}
}

static int outcome_of(const struct batch *batch, const struct pm_page *page, int node, int target)
{
	if (node == target)
		return PM_MOVED;
	return is_hidden(batch->mover, page, node) ? PM_HIDDEN : PM_VANISHED;
}

/*
 * Settles the pages that a call has dealt with; the others stay listed. What the kernel does not say
 * has arrived is looked at again: it writes no status for a queue that failed, and says -EBUSY of
 * pages that moved as part of a huge one.
 */
static void settle(struct batch *batch, int target, long result)
{
	size_t dealt = dealt_with(batch, result);
	size_t unsure = 0;

	for (size_t i = 0; i < dealt; i++) {
		struct pm_page *page = listed_page(batch, i);

		page->outcome = batch->status[i] == target ? PM_MOVED : PM_VANISHED;
		if (page->outcome == PM_MOVED)
			continue;
		batch->targets[unsure] = batch->status[i]; /* kept while status is written anew */
		batch->addresses[unsure] = at(page->address);
		batch->index[unsure++] = batch->index[i];
	}
	if (query(batch->mover->pid, batch->addresses, unsure, batch->status) < 0)
		unsure = 0;
	for (size_t i = 0; i < unsure; i++) {
		struct pm_page *page = listed_page(batch, i);

		page->outcome = batch->status[i] == page->node
					? why_left(batch->targets[i], result)
					: outcome_of(batch, page, batch->status[i], target);
	}
	for (size_t i = dealt; i < batch->listed; i++)
		batch->index[i - dealt] = batch->index[i];
	batch->listed -= dealt;
}

/* Moves all pages that go to @target. Returns 0, or a negative errno that ends the operation. */
static int move_to(struct batch *batch, int target)
{
	list_pages_for(batch, target);
	while (batch->listed > 0) {
		long result = move_listed(batch, target);

		batch->refused |= result != 0;
		settle(batch, target, result);
		if (result == -ESRCH || result == -EPERM || result == -EINVAL || result == -ENOSYS)
			return (int)result;
	}
	return 0;
}

static int move_all(struct batch *batch)
{
	for (uint32_t node = 0; node < batch->mover->nodes; node++) {
		const struct pm_route *route = &batch->mover->routes[node];
		int error = 0;

		/* Two sources may share a target: the first of them takes the pages of both. */
		if (route->target >= 0)
			error = move_to(batch, route->target);
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
static void count_split(struct batch *batch, const struct pm_page *page)
{
	enum {
		SOME = sizeof(void *) == 4 ? 16 : 64
	};
	const struct pm_route *route = route_of(batch->mover, page->node);
	uint64_t size = batch->mover->memory.page_size;
	uint32_t slot = slot_of(batch, page->address);
	void *addresses[SOME];
	int status[SOME];

	for (uint32_t first = 0; first < page->span; first += SOME) {
		uint32_t some = page->span - first < SOME ? page->span - first : SOME;

		for (uint32_t i = 0; i < some; i++)
			addresses[i] = at(page->address + (first + i) * size);

		int error = query(batch->mover->pid, addresses, some, status);

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

static void count_page(struct batch *batch, const struct pm_page *page)
{
	const struct pm_route *route = route_of(batch->mover, page->node);
	uint32_t slot = slot_of(batch, page->address);

	if (page->outcome == NOT_COUNTED)
		return;
	if (page->thp && batch->refused && route->target >= 0 && page->outcome != PM_VANISHED) {
		count_split(batch, page);
		return;
	}
	for (uint32_t i = 0; i < page->span; i++)
		pm_count(&batch->step->tally, slot + i, route->rank, page->kind,
			 (enum pm_column)page->outcome);
}

/* Pages of memory that is gone: whatever the calls did, they did it to other memory. */
static void disown(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->pages[i].outcome != NOT_COUNTED)
			batch->pages[i].outcome = PM_VANISHED;
	}
}

/* The number of the first base page that the step has not gone over. */
static uint32_t next_slot(const struct batch *batch)
{
	const struct pm_step *step = batch->step;

	if (step->cursor.address)
		return slot_of(batch, step->cursor.address);
	if (step->cursor.segment == 0)
		return 0;
	return slot_of(batch, step->cursor.segment < step->count
				      ? step->segments[step->cursor.segment].start
				      : step->end);
}

/* Every base page from @from on that the step has gone over. */
static void count_all(struct batch *batch, uint32_t from)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct pm_page *page = &batch->pages[i];
		uint32_t slot = slot_of(batch, page->address);

		pm_count_vanished(&batch->step->tally, from, slot);
		count_page(batch, page);
		from = slot + page->span;
	}
	pm_count_vanished(&batch->step->tally, from, next_slot(batch));
}

/* -- the step */

static int look_and_move(struct batch *batch)
{
	int error = find_nodes(batch);

	for (size_t i = 0; i < batch->count; i++)
		batch->pages[i].outcome = judge(batch, &batch->pages[i]);
	if (error == 0)
		error = move_all(batch);
	if (pm_memory_gone(&batch->mover->memory))
		error = -ESRCH;
	if (error < 0)
		disown(batch);
	return error;
}

static int run(struct batch *batch)
{
	struct pm_step *step = batch->step;
	uint32_t from = next_slot(batch);
	long found = pm_collect(&batch->mover->memory, step->segments, step->count, step->limit,
				&step->cursor, batch->pages);

	if (found < 0)
		return (int)found;
	batch->count = (size_t)found;
	step->looked_at = step->hidden = 0;
	for (size_t i = 0; i < batch->count; i++)
		step->looked_at += batch->pages[i].span;

	int error = look_and_move(batch);

	count_all(batch, from);
	return error;
}

int pm_move_step(const struct pm_mover *mover, struct pm_step *step)
{
	struct batch batch = {
		.mover = mover,
		.step = step,
		.pages = calloc(step->limit, sizeof(*batch.pages)),
		.addresses = calloc(step->limit, sizeof(*batch.addresses)),
		.targets = calloc(step->limit, sizeof(*batch.targets)),
		.status = calloc(step->limit, sizeof(*batch.status)),
		.index = calloc(step->limit, sizeof(*batch.index)),
	};
	int error = -ENOMEM;

	if (batch.pages && batch.addresses && batch.targets && batch.status && batch.index)
		error = run(&batch);
	free(batch.pages);
	free(batch.addresses);
	free(batch.targets);
	free(batch.status);
	free(batch.index);
	return error;
}

bool pm_hides_pages(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	if (page == MAP_FAILED)
		return false;
	*(volatile char *)page = 1;
	/* As balancing does it: in memory, and not accessible. */
	if (mprotect(page, size, PROT_NONE) < 0 || query(0, &page, 1, &status) < 0)
		status = 0;
	munmap(page, size);
	return status == -ENOENT;
}
