#include "frames.h"

#include <errno.h>

enum {
	ENTRIES = 512,
	SPARSE = 4 /* entries for each page of interest; from about here on it is faster to ask */
};

/* -1 where it cannot be told. @near is where the last one was found. */
static int node_of(const struct pm_subject *subject, uint64_t frame, const struct pm_zone **near)
{
	if (frame >= (*near)->start && frame < (*near)->end)
		return (*near)->node;
	for (size_t i = 0; i < subject->zone_count; i++) {
		const struct pm_zone *zone = &subject->zones[i];

		if (frame >= zone->start && frame < zone->end) {
			*near = zone;
			return zone->node;
		}
	}
	return -1;
}

/* How many of the pages have their entries among the first ENTRIES. */
static size_t in_reach(const struct pm_page *pages, size_t count, uint64_t page_size)
{
	uint64_t end = pages->address + ENTRIES * page_size;
	size_t some = count < ENTRIES ? count : ENTRIES;

	while (pages[some - 1].address >= end)
		some--;
	return some;
}

static uint64_t base_pages_between(const struct pm_page *first, const struct pm_page *last,
				   uint64_t page_size)
{
	return (last->address - first->address) / page_size;
}

bool pm_nodes_by_frame(const struct pm_subject *subject, const struct pm_page *pages, size_t count,
		       int *ret_nodes)
{
	const struct pm_memory *memory = &subject->memory;
	const struct pm_zone *near = subject->zones;
	uint64_t size = memory->page_size;
	uint64_t entries[ENTRIES];

	/* Pages that merely hide are there for pagemap, but not for the call that moves. */
	if (count == 0 || subject->zone_count == 0 || subject->hides ||
	    base_pages_between(pages, pages + count - 1, size) / SPARSE >= count)
		return false;
	for (const struct pm_page *first = pages, *end = pages + count; first < end;) {
		size_t some = in_reach(first, (size_t)(end - first), size);
		size_t want = (size_t)base_pages_between(first, first + some - 1, size) + 1;

		if (pm_read_entries(memory, first->address, want, entries) != (ssize_t)want)
			return false;
		for (size_t i = 0; i < some; i++, ret_nodes++) {
			uint64_t entry = entries[base_pages_between(first, first + i, size)];

			/* Whoever may not know frames reads 0 (pagemap_read() in fs/proc), which is
			 * in a zone where memory starts there. */
			if ((entry & PM_ENTRY_PRESENT) && !(entry & PM_ENTRY_FRAME))
				return false;
			*ret_nodes = entry & PM_ENTRY_PRESENT
					     ? node_of(subject, entry & PM_ENTRY_FRAME, &near)
					     : -ENOENT;
			if (*ret_nodes == -1)
				return false;
		}
		first += some;
	}
	return true;
}
