#define _DEFAULT_SOURCE /* madvise() */
#include "evictor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "batch.h"
#include "syscalls.h"

enum {
	RANGES_MAX = 1024, /* UIO_MAXIOV: process_madvise(2) takes no more */
	CHUNK = 512,       /* base pages that are looked at together */
	/* The kernel hands swap out to each CPU in such portions (SWAP_BATCH in linux/swap.h). */
	SWAP_PORTION = 64
};

/* What was seen afterwards of some base pages. */
struct window {
	uint64_t start;
	size_t count;
	uint64_t entries[CHUNK]; /* of pagemap */
	int nodes[CHUNK];        /* where those are that are there, as move_pages(2) says */
};

struct evicting {
	struct pm_batch batch; /* first: an evicting is a batch */
	const struct pm_evictor *evictor;
	struct iovec *ranges; /* of pages that have to leave, neighbours joined */
	size_t count;
	uint64_t swapped; /* base pages that went to swap in this step */
	struct window seen;
};

/* -- what has to leave */

/* A page that can only go to swap: it is of no file, or a private copy of a file's page. */
static bool needs_swap(const struct pm_memory *memory, const struct pm_page *page)
{
	uint64_t entry;

	if (page->kind != PM_FILE)
		return true;
	return pm_read_entries(memory, page->address, 1, &entry) == 1 && !(entry & PM_ENTRY_FILE);
}

/* What can be told without trying. */
static int foresee(const struct evicting *evicting, const struct pm_page *page)
{
	if (page->kind == PM_HUGETLB)
		return PM_HUGETLB_PAGE;
	if (evicting->evictor->without_swap && needs_swap(&evicting->evictor->subject.memory, page))
		return PM_NO_SWAP_SPACE;
	return PM_ASKED;
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
		if (page->outcome == PM_ASKED)
			page->outcome = foresee(evicting, page);
		if (page->outcome != PM_ASKED)
			continue;
		add_range(evicting, pm_at(page->address),
			  page->span * (size_t)batch->subject->memory.page_size, segment == last);
		last = segment;
	}
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

/* -- looking afterwards, page by page: a huge page may have been split on its way out */

static uint64_t swap_room(const struct evicting *evicting)
{
	const struct pm_evictor *evictor = evicting->evictor;
	uint64_t room = evictor->swap_room < evicting->swapped
				? 0
				: evictor->swap_room - evicting->swapped;
	struct sysinfo info;

	if (sysinfo(&info) == 0) {
		uint64_t left = (uint64_t)info.freeswap * info.mem_unit /
				evictor->subject.memory.page_size;

		room = left < room ? left : room;
	}
	return room;
}

/* Why a page is still there. */
static int why_left(const struct evicting *evicting, const struct pm_page *page, uint64_t entry)
{
	if (page->outcome == PM_LOCKED)
		return PM_LOCKED;
	if (!(entry & PM_ENTRY_EXCLUSIVE))
		return PM_SHARED_PAGE;
	if (page->kind == PM_FILE && entry & PM_ENTRY_FILE)
		return PM_WRITEBACK;
	return swap_room(evicting) < SWAP_PORTION ? PM_NO_SWAP_SPACE : PM_BUSY;
}

/* What became of a page that is not there any more. */
static int where_gone(struct evicting *evicting, const struct pm_page *page, uint64_t entry)
{
	if (entry & PM_ENTRY_SWAPPED) {
		evicting->swapped++;
		return PM_MOVED;
	}
	return page->kind == PM_ANONYMOUS ? PM_VANISHED : PM_MOVED;
}

static int fate(struct evicting *evicting, const struct pm_page *page, uint64_t entry, int node)
{
	if (!(entry & PM_ENTRY_PRESENT))
		return where_gone(evicting, page, entry);
	if (node == -ENOENT && evicting->evictor->subject.hides)
		return PM_HIDDEN;
	/* One on another node has been used again there. */
	return pm_route_of(&evicting->evictor->subject, node)->target >= 0
		       ? why_left(evicting, page, entry)
		       : PM_MOVED;
}

/* The nodes of those pages of a window that are there. */
static void find_nodes(const struct pm_subject *subject, struct window *window)
{
	void *addresses[CHUNK];
	int status[CHUNK];
	size_t present = 0;

	for (size_t i = 0; i < window->count; i++) {
		if (window->entries[i] & PM_ENTRY_PRESENT)
			addresses[present++] = pm_at(window->start + i * subject->memory.page_size);
	}

	int error = present ? pm_query(subject->pid, addresses, present, status) : 0;

	for (size_t i = 0, next = 0; i < window->count; i++) {
		if (window->entries[i] & PM_ENTRY_PRESENT)
			window->nodes[i] = error < 0 ? error : status[next++];
	}
}

/* Looks at base pages from @address on; where pagemap ends there are none. */
static void look_from(struct evicting *evicting, uint64_t address)
{
	const struct pm_subject *subject = &evicting->evictor->subject;
	struct window *window = &evicting->seen;
	ssize_t got = pm_read_entries(&subject->memory, address, CHUNK, window->entries);

	window->start = address;
	window->count = got > 0 ? (size_t)got : 1;
	if (got <= 0)
		window->entries[0] = 0;
	find_nodes(subject, window);
}

static void count_page(struct pm_batch *batch, const struct pm_page *page)
{
	struct evicting *evicting = (struct evicting *)batch;
	const struct window *seen = &evicting->seen;
	const struct pm_route *route = pm_route_of(batch->subject, page->node);
	uint64_t size = batch->subject->memory.page_size;
	uint64_t end = page->address + page->span * size;

	/* Of a range that was refused the part before the locked pages may be out all the same. */
	if (page->outcome != PM_ASKED && page->outcome != PM_LOCKED) {
		pm_count_whole(batch, page, page->outcome);
		return;
	}
	for (uint64_t address = page->address; address < end; address += size) {
		if (address < seen->start || address - seen->start >= seen->count * size)
			look_from(evicting, address);

		size_t at = (size_t)((address - seen->start) / size);
		int column = fate(evicting, page, seen->entries[at], seen->nodes[at]);

		pm_count(&batch->step->tally, pm_slot_of(batch, address), route->rank, page->kind,
			 (enum pm_column)column);
	}
}

/* -- the step */

static int look_and_evict(struct evicting *evicting)
{
	struct pm_batch *batch = &evicting->batch;
	int error = pm_batch_look(batch, NULL);

	if (error == 0) {
		find_ranges(evicting);
		error = advise(evicting);
	}
	return pm_batch_count(batch, error, count_page);
}

int pm_evict_step(const struct pm_evictor *evictor, struct pm_step *step)
{
	struct evicting evicting = {
		.batch = {.subject = &evictor->subject, .step = step},
		.evictor = evictor,
		.ranges = calloc(step->limit, sizeof(*evicting.ranges)),
	};
	int error = evicting.ranges ? pm_batch_open(&evicting.batch) : -ENOMEM;

	if (error == 0)
		error = look_and_evict(&evicting);
	pm_batch_close(&evicting.batch);
	free(evicting.ranges);
	return error;
}
