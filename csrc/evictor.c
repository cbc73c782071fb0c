#define _DEFAULT_SOURCE /* madvise() */
#include "evictor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "spots.h"
#include "syscalls.h"

enum {
	RANGES_MAX = 1024, /* UIO_MAXIOV: process_madvise(2) takes no more */
	/* The kernel hands swap out to each CPU in such portions (SWAP_BATCH in linux/swap.h). */
	SWAP_PORTION = 64
};

struct evicting {
	struct pm_batch batch; /* first: an evicting is a batch */
	const struct pm_evictor *evictor;
	struct pm_spots spots;
	size_t next;          /* the spot that is counted next, or one before it */
	struct iovec *ranges; /* of pages that have to leave, neighbours joined */
	size_t count;
	uint64_t swap_free; /* base pages that were free in swap after the advice */
	uint64_t swapped;   /* base pages that went to swap in this step */
};

/* -- what has to leave */

static void list_spots(struct evicting *evicting)
{
	struct pm_batch *batch = &evicting->batch;

	for (size_t i = 0; i < batch->count; i++) {
		struct pm_page *page = &batch->pages[i];

		if (page->outcome == PM_ASKED && page->kind == PM_HUGETLB)
			page->outcome = PM_HUGETLB_PAGE;
		if (page->outcome == PM_ASKED)
			pm_spots_add(&evicting->spots, page, batch->subject->memory.page_size);
	}
	pm_spots_look_before(&evicting->spots, batch->subject);
}

/* The first spot of a page; pages are asked for in the order of their addresses. */
static const struct pm_spot *spot_of(struct evicting *evicting, const struct pm_page *page)
{
	while (evicting->spots.all[evicting->next].address < page->address)
		evicting->next++;
	return &evicting->spots.all[evicting->next];
}

/* A page that can only go to swap. */
static bool needs_swap(const struct pm_spot *spot)
{
	return spot->kind != PM_FILE || pm_spot_is_private(spot);
}

static void add_range(struct evicting *evicting, void *start, size_t size, bool join)
{
	struct iovec *last = evicting->ranges + evicting->count;

	if (join && (char *)last[-1].iov_base + last[-1].iov_len == start) {
		last[-1].iov_len += size;
	} else {
		*last = (struct iovec){.iov_base = start, .iov_len = size};
		evicting->count++;
	}
}

/* Joins neighbours, but not of two mappings: what is refused for one of them would keep the other. */
static void find_ranges(struct evicting *evicting)
{
	struct pm_batch *batch = &evicting->batch;
	const struct pm_segment *segment = batch->step->segments, *last = NULL;

	for (size_t i = 0; i < batch->count; i++) {
		struct pm_page *page = &batch->pages[i];

		while (page->address >= segment->end)
			segment++;
		if (page->outcome != PM_ASKED)
			continue;
		if (evicting->evictor->without_swap && needs_swap(spot_of(evicting, page))) {
			page->outcome = PM_NO_SWAP_SPACE;
			continue;
		}
		add_range(evicting, pm_at(page->address),
			  page->span * (size_t)batch->subject->memory.page_size, segment == last);
		last = segment;
	}
	evicting->next = 0;
}

/* -- advising */

/* Pages of a range that the kernel does not take the advice for. */
static void refuse_range(struct evicting *evicting, const struct iovec *range)
{
	uint64_t start = (uintptr_t)range->iov_base;

	for (size_t i = 0; i < evicting->batch.count; i++) {
		struct pm_page *page = &evicting->batch.pages[i];

		if (page->outcome == PM_ASKED && page->address >= start &&
		    page->address - start < range->iov_len)
			page->outcome = PM_LOCKED;
	}
}

/* Goes past so many bytes of the ranges. */
static size_t advance(struct iovec *ranges, size_t at, size_t bytes)
{
	while (bytes > 0 && bytes >= ranges[at].iov_len)
		bytes -= ranges[at++].iov_len;
	if (bytes > 0) {
		ranges[at].iov_base = (char *)ranges[at].iov_base + bytes;
		ranges[at].iov_len -= bytes;
	}
	return at;
}

static long give_advice(const struct evicting *evicting, const struct iovec *ranges, size_t count)
{
	if (evicting->evictor->pidfd >= 0)
		return pm_process_madvise(evicting->evictor->pidfd, ranges, count, PM_MADV_PAGEOUT,
					  0);
	if (madvise(ranges->iov_base, ranges->iov_len, PM_MADV_PAGEOUT) < 0)
		return -errno;
	return (long)ranges->iov_len;
}

/*
 * Pages that are new wait at the CPU that made them for their place in the lists that the kernel
 * takes pages from, and madvise empties the waiting room of one CPU only. move_pages(2), even of no
 * page, empties all of them (do_pages_move() in mm/migrate.c).
 */
static void let_new_pages_in(void)
{
	void *page = NULL;
	int node = 0, status;

	pm_move_pages(0, 0, &page, &node, &status, PM_MPOL_MF_MOVE);
}

/* Advises all ranges. Returns 0, or a negative errno that ends the operation. */
static int advise(struct evicting *evicting)
{
	for (size_t at = 0; at < evicting->count;) {
		size_t left = evicting->count - at;
		long result = give_advice(evicting, evicting->ranges + at,
					  left < RANGES_MAX ? left : RANGES_MAX);

		if (result == -ESRCH || result == -EPERM || result == -EACCES ||
		    result == -ENOSYS || result == -EBADF)
			return (int)result;
		/* Of locked mappings; what is no mapping any more (ENOMEM) the look afterwards tells. */
		if (result == -EINVAL)
			refuse_range(evicting, evicting->ranges + at);
		at = result > 0 ? advance(evicting->ranges, at, (size_t)result) : at + 1;
	}
	return 0;
}

/* -- what became of each */

static void find_swap_free(struct evicting *evicting)
{
	struct sysinfo info;

	evicting->swap_free = UINT64_MAX;
	if (sysinfo(&info) == 0)
		evicting->swap_free = (uint64_t)info.freeswap * info.mem_unit /
				      evicting->batch.subject->memory.page_size;
}

static bool swap_is_full(const struct evicting *evicting)
{
	uint64_t allowed = evicting->evictor->swap_room;
	uint64_t room = allowed < evicting->swapped ? 0 : allowed - evicting->swapped;

	return room < SWAP_PORTION || evicting->swap_free < SWAP_PORTION;
}

/* Why a page is still in the page table. */
static int why_left(const struct evicting *evicting, const struct pm_page *page,
		    const struct pm_spot *spot)
{
	if (page->outcome == PM_LOCKED)
		return PM_LOCKED;
	if (!(spot->after & PM_ENTRY_EXCLUSIVE))
		return PM_SHARED_PAGE;
	if (spot->kind == PM_FILE && spot->after & PM_ENTRY_FILE)
		return PM_WRITEBACK;
	return swap_is_full(evicting) ? PM_NO_SWAP_SPACE : PM_BUSY;
}

/* What became of a page that is in no page table any more. */
static int where_gone(struct evicting *evicting, const struct pm_spot *spot)
{
	/* It has a place in swap, or it was freed. */
	if (pm_spot_is_private(spot) && !(spot->after & PM_ENTRY_SWAPPED))
		return PM_VANISHED;
	if (spot->sight == PM_SEEN_NOTHING)
		return PM_UNSEEN;
	if (spot->sight == PM_SEEN_OUT) {
		evicting->swapped += needs_swap(spot);
		return PM_MOVED;
	}
	if (!needs_swap(spot))
		return PM_OUT_WRITEBACK;
	if (swap_is_full(evicting))
		return PM_OUT_NO_SWAP;
	return spot->sight == PM_SEEN_WRITTEN ? PM_OUT_WRITEBACK : PM_OUT_BUSY;
}

static int fate(struct evicting *evicting, const struct pm_page *page, const struct pm_spot *spot)
{
	const struct pm_subject *subject = evicting->batch.subject;

	if (!(spot->after & PM_ENTRY_PRESENT))
		return where_gone(evicting, spot);
	if (spot->node == -ENOENT && subject->hides)
		return PM_HIDDEN;
	if (spot->node < 0) /* it went between the two looks */
		return PM_VANISHED;
	/* One on another node has been used again there. */
	return pm_route_of(subject, spot->node)->target >= 0 ? why_left(evicting, page, spot)
							     : PM_MOVED;
}

/* Takes back what was refused: without a look afterwards nothing is known of it either. */
static void forget_refusals(struct pm_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->pages[i].outcome == PM_LOCKED)
			batch->pages[i].outcome = PM_ASKED;
	}
}

static void count_page(struct pm_batch *batch, const struct pm_page *page)
{
	struct evicting *evicting = (struct evicting *)batch;
	const struct pm_route *route = pm_route_of(batch->subject, page->node);

	/* Of a range that was refused the part before the locked pages may be out all the same. */
	if (page->outcome != PM_ASKED && page->outcome != PM_LOCKED) {
		pm_count_whole(batch, page, page->outcome);
		return;
	}

	const struct pm_spot *spot = spot_of(evicting, page);

	for (uint32_t i = 0; i < page->span; i++)
		pm_count(&batch->step->tally, pm_slot_of(batch, spot[i].address), route->rank,
			 page->kind, (enum pm_column)fate(evicting, page, &spot[i]));
}

/* -- the step */

/* Advises the pages that have to leave, and looks at them. Returns 0 or -errno. */
static int evict(struct evicting *evicting)
{
	struct pm_batch *batch = &evicting->batch;

	list_spots(evicting);
	find_ranges(evicting);
	let_new_pages_in();

	int error = advise(evicting);

	find_swap_free(evicting);

	int unseen = pm_spots_look_after(&evicting->spots, batch->subject,
					 &evicting->evictor->caches);

	if (unseen < 0)
		forget_refusals(batch);
	return error < 0 ? error : unseen;
}

static int look_and_evict(struct evicting *evicting)
{
	struct pm_batch *batch = &evicting->batch;
	int error = pm_batch_look(batch, NULL);

	if (error == 0)
		error = evict(evicting);
	return pm_batch_count(batch, error, count_page);
}

/* Room for what is worked out about the pages that were collected. */
static int make_room(struct evicting *evicting)
{
	size_t pages = evicting->batch.count, spots = (size_t)evicting->batch.step->looked_at;

	/* For none, too: calloc() may answer NULL to that. */
	evicting->ranges = calloc(pages + 1, sizeof(*evicting->ranges));
	evicting->spots.all = calloc(spots + 1, sizeof(*evicting->spots.all));
	return evicting->ranges && evicting->spots.all ? 0 : -ENOMEM;
}

int pm_evict_step(const struct pm_evictor *evictor, struct pm_step *step)
{
	struct evicting evicting = {
		.batch = {.subject = &evictor->subject, .step = step},
		.evictor = evictor,
	};
	int error = pm_batch_open(&evicting.batch);

	if (error == 0)
		error = make_room(&evicting);
	if (error == 0)
		error = look_and_evict(&evicting);
	pm_batch_close(&evicting.batch);
	free(evicting.ranges);
	free(evicting.spots.all);
	return error;
}
