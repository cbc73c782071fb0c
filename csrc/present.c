#define _GNU_SOURCE       /* pread with 64-bit offsets where off_t has 32 bits */
#define _FILE_OFFSET_BITS 64
#include "present.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* include/uapi/linux/fs.h since Linux 6.7; libc headers that are older have none of it. */
enum scan_category {
	SCAN_PRESENT = 1 << 3,
	SCAN_PFNZERO = 1 << 5,
	SCAN_HUGE = 1 << 6,
};

struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

/* What ioctl() takes for a request. POSIX says int, as does musl. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

enum {
	REGIONS = 128,
	ENTRIES = 512
};

/* Everything that collecting needs to know and to keep. */
struct walk {
	const struct pm_memory *memory;
	const struct pm_segment *segment;
	uint64_t at; /* where in the segment */
	size_t room; /* base pages that may still be collected */
	struct pm_page *pages;
	size_t count;
};

/* Adds the page at walk->at, which moves past it; false if there is no room for it any more. */
static bool add(struct walk *walk, uint64_t next, bool thp)
{
	uint32_t span = (uint32_t)((next - walk->at) / walk->memory->page_size);

	if (span > walk->room && walk->count > 0) {
		walk->room = 0;
		return false;
	}
	walk->pages[walk->count++] = (struct pm_page){
		.address = walk->at,
		.span = span,
		.kind = walk->segment->kind,
		.thp = thp,
	};
	walk->room -= span < walk->room ? span : walk->room;
	walk->at = next;
	return true;
}

static uint64_t round_up(uint64_t address, uint64_t size)
{
	return (address + size - 1) / size * size;
}

/* Adds base pages up to @end; false if there was no room for all. The most there is to do, so plain. */
static bool add_base_pages(struct walk *walk, uint64_t end)
{
	uint64_t size = walk->memory->page_size;
	uint32_t kind = walk->segment->kind;
	uint64_t left = (end - walk->at) / size;
	size_t some = left < walk->room ? (size_t)left : walk->room;
	struct pm_page *page = walk->pages + walk->count;

	walk->count += some;
	walk->room -= some;
	for (; some > 0; some--, walk->at += size)
		*page++ = (struct pm_page){.address = walk->at, .span = 1, .kind = kind};
	return walk->at >= end;
}

/* Adds the pages of a run; false if there was no room for all. */
static bool add_run(struct walk *walk, uint64_t start, uint64_t end, bool huge)
{
	const struct pm_segment *segment = walk->segment;
	bool thp = huge && segment->kind != PM_HUGETLB && walk->memory->huge_size;
	uint64_t size = thp ? walk->memory->huge_size : segment->span * walk->memory->page_size;

	walk->at = start;
	if (size == walk->memory->page_size)
		return add_base_pages(walk, end);
	/* The kernel reports neighbouring huge pages as one run. */
	for (uint64_t next = round_up(start + 1, size); walk->at < end; next += size) {
		if (!add(walk, next < end ? next : end, thp))
			return false;
	}
	return true;
}

/* Pages in memory, of these those of zeros left out. Returns the regions found, or -errno. */
static int scan_present(const struct pm_memory *memory, struct scan_arg *arg)
{
	int found;

	arg->size = sizeof(*arg);
	arg->category_inverted = SCAN_PFNZERO;
	arg->category_mask = SCAN_PRESENT | SCAN_PFNZERO;
	arg->return_mask = SCAN_HUGE;
	do
		found = ioctl(memory->pagemap, (ioctl_request)SCAN_IOCTL, arg);
	while (found < 0 && errno == EINTR);
	return found < 0 ? -errno : found;
}

/* By ioctl: from walk->at as far as there is room. */
static int scan(struct walk *walk)
{
	const struct pm_memory *memory = walk->memory;
	struct scan_region regions[REGIONS];
	/* The kernel cuts a page of hugetlb at the end of the range (hugetlb_entry_end()). */
	uint64_t own = walk->segment->span * memory->page_size;
	uint64_t want = round_up(walk->at + walk->room * memory->page_size,
				 memory->huge_size > own ? memory->huge_size : own);
	struct scan_arg arg = {
		.start = walk->at,
		/* Not by max_pages: that would cut a huge page in two. */
		.end = want < walk->segment->end ? want : walk->segment->end,
		.vec = (uint64_t)(uintptr_t)regions,
		.vec_len = REGIONS,
	};
	int found = scan_present(memory, &arg);

	if (found < 0)
		return found;
	for (int i = 0; i < found; i++) {
		if (!add_run(walk, regions[i].start, regions[i].end,
			     regions[i].categories & SCAN_HUGE))
			return 0;
	}
	walk->at = arg.walk_end;
	return 0;
}

ssize_t pm_read_entries(const struct pm_memory *memory, uint64_t start, size_t count,
			uint64_t *ret_entries)
{
	off_t offset = (off_t)(start / memory->page_size * sizeof(*ret_entries));
	ssize_t got = pread(memory->pagemap, ret_entries, count * sizeof(*ret_entries), offset);

	return got < 0 ? -errno : got / (ssize_t)sizeof(*ret_entries);
}

/* Of a range, as many entries as fit into an array of ENTRIES. */
static ssize_t load(const struct pm_memory *memory, uint64_t start, uint64_t end,
		    uint64_t *ret_entries)
{
	uint64_t left = (end - start) / memory->page_size;

	return pm_read_entries(memory, start, left < ENTRIES ? (size_t)left : ENTRIES, ret_entries);
}

/*
 * Entry by entry, for kernels without the ioctl. Entries do not tell zero pages, which have no node,
 * nor huge pages: asked for its node, each base page of those answers for itself.
 */
static int read_entries(struct walk *walk)
{
	uint64_t page_size = walk->memory->page_size;
	uint64_t entries[ENTRIES];
	uint64_t first = walk->at;
	ssize_t got = load(walk->memory, first, walk->segment->end, entries);

	if (got < 0)
		return (int)got;

	uint64_t end = first + (uint64_t)got * page_size;
	uint64_t step = walk->segment->span * page_size;

	if (end == first) {
		walk->at = walk->segment->end; /* the memory is gone */
		return 0;
	}
	while (walk->at < end) {
		uint64_t next = round_up(walk->at + 1, step);

		if (!(entries[(walk->at - first) / page_size] & PM_ENTRY_PRESENT))
			walk->at = next;
		else if (!add(walk, next, false))
			break;
	}
	return 0;
}

/* Goes through a segment; ends early when there is no room left. */
static int collect_segment(struct walk *walk)
{
	while (walk->at < walk->segment->end && walk->room > 0) {
		int error = scan(walk);

		if (error == -ENOTTY || error == -EINVAL)
			error = read_entries(walk);
		if (error < 0)
			return error;
	}
	return 0;
}

long pm_collect(const struct pm_memory *memory, const struct pm_segment *segments, size_t count,
		size_t limit, struct pm_cursor *cursor, struct pm_page *ret_pages)
{
	struct walk walk = {.memory = memory, .room = limit, .pages = ret_pages};

	while (cursor->segment < count && walk.room > 0) {
		walk.segment = &segments[cursor->segment];
		walk.at = cursor->address ? cursor->address : walk.segment->start;

		int error = collect_segment(&walk);

		if (error < 0)
			return error;
		cursor->address = walk.at;
		if (walk.at >= walk.segment->end) {
			cursor->segment++;
			cursor->address = 0;
		}
	}
	return (long)walk.count;
}

uint64_t pm_first_present(const struct pm_memory *memory, uint64_t start, uint64_t end)
{
	struct scan_region region;
	struct scan_arg arg = {
		.start = start,
		.end = end,
		.vec = (uint64_t)(uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
	};
	int found = scan_present(memory, &arg);
	uint64_t entries[ENTRIES];

	if (found >= 0)
		return found ? region.start : end;
	while (start < end) {
		ssize_t got = load(memory, start, end, entries);

		if (got <= 0)
			return start;
		for (ssize_t i = 0; i < got; i++, start += memory->page_size) {
			if (entries[i] & PM_ENTRY_PRESENT)
				return start;
		}
	}
	return end;
}

uint64_t pm_count_exclusive(const struct pm_memory *memory, uint64_t start, uint64_t end,
			    bool of_files)
{
	const uint64_t wanted = PM_ENTRY_PRESENT | PM_ENTRY_EXCLUSIVE;
	const uint64_t looked_at = of_files ? wanted : wanted | PM_ENTRY_FILE;
	uint64_t entries[ENTRIES], found = 0;

	while (start < end) {
		ssize_t got = load(memory, start, end, entries);

		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got; i++)
			found += (entries[i] & looked_at) == wanted;
		start += (uint64_t)got * memory->page_size;
	}
	return found;
}

bool pm_can_scan(const struct pm_memory *memory)
{
	struct scan_region region;
	struct scan_arg arg = {
		.end = memory->page_size,
		.vec = (uint64_t)(uintptr_t)&region,
		.vec_len = 1,
	};

	return scan_present(memory, &arg) >= 0;
}

bool pm_is_present(const struct pm_memory *memory, uint64_t address)
{
	uint64_t entry;

	return pm_read_entries(memory, address, 1, &entry) == 1 && entry & PM_ENTRY_PRESENT;
}

bool pm_memory_gone(const struct pm_memory *memory)
{
	uint64_t entry;

	/* pagemap_read() ends the file once the memory has no users any more. */
	return pm_read_entries(memory, 0, 1, &entry) == 0;
}
