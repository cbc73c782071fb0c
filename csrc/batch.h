/*
 * batch.h - the pages of one step: collected, looked at, and at the end counted.
 *
 * What every action has in common. Between looking and counting it does its own work, and leaves an
 * outcome with each page.
 */
#ifndef PM_BATCH_H
#define PM_BATCH_H

#include <errno.h>
#include <stdlib.h>

#include "step.h"

/* An outcome besides the columns of the tally. PM_ASKED stands for "has to leave its node". */
#define PM_NOT_COUNTED (-1)

struct pm_batch {
	const struct pm_subject *subject;
	struct pm_step *step;
	struct pm_page *pages;
	size_t count;
	/* Room for step->limit of each: the arguments of move_pages(2). */
	void **addresses;
	int *status;
	uint32_t from; /* the number of the first base page that the step goes over */
};

/* Collects the pages of a step. Returns 0 or -errno; the batch has to be closed in either case. */
int pm_batch_open(struct pm_batch *batch);
void pm_batch_close(struct pm_batch *batch);

/*
 * Finds the node of each page, or the negative errno that the kernel gives for it, and its outcome as
 * far as that decides. A page that was left behind earlier has moved if it is on targets[rank]; there
 * may be no targets. Returns 0 or -errno.
 */
int pm_batch_look(struct pm_batch *batch, const int32_t *targets);

/*
 * Counts every base page that the step has gone over; @count_page counts the collected ones, of
 * which neighbours that share node, kind and outcome come as one page. Takes the step's result so far
 * and returns it, or -ESRCH if the memory is gone: what was done to the pages of this batch may have
 * been done to other memory, so they have vanished. Pages to which the step did not come, because it
 * failed, stay as they were counted before.
 */
int pm_batch_count(struct pm_batch *batch, int error,
		   void (*count_page)(struct pm_batch *batch, const struct pm_page *page));

/* Asks move_pages(2) for the nodes of any number of pages. */
int pm_query(int pid, void **addresses, size_t count, int *ret_status);

/* The number of the base page at an address, which is that of its mark. */
static inline uint32_t pm_slot_of(const struct pm_batch *batch, uint64_t address)
{
	return (uint32_t)((address - batch->step->start) / batch->subject->memory.page_size);
}

/* Whether a page was left behind in an earlier step. */
static inline bool pm_was_left(const struct pm_batch *batch, const struct pm_page *page)
{
	return pm_is_owed(batch->step->tally.marks[pm_slot_of(batch, page->address)]);
}

/* Where the pages of a node go; the target is -1 for those that stay, and for no node. */
static inline const struct pm_route *pm_route_of(const struct pm_subject *subject, int node)
{
	static const struct pm_route none = {.target = -1};

	return node >= 0 && (uint32_t)node < subject->nodes ? &subject->routes[node] : &none;
}

/* A page that move_pages(2) says is absent, and that is in the page table all the same. */
static inline bool pm_is_hidden(const struct pm_subject *subject, uint64_t address, int node)
{
	return node == -ENOENT && subject->hides && pm_is_present(&subject->memory, address);
}

/* Counts all base pages of a page alike. */
void pm_count_whole(struct pm_batch *batch, const struct pm_page *page, int outcome);

/* An array that is filled before it is read: zeros would only have its memory touched twice. */
static inline void *pm_array(size_t count, size_t size)
{
	return count <= SIZE_MAX / size ? malloc(count * size) : NULL;
}

static inline void *pm_at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

#endif
