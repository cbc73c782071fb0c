/*
 * present.h - which pages of a process are in memory.
 *
 * Read from /proc/PID/pagemap: by the PAGEMAP_SCAN ioctl where the kernel has it (Linux 6.7), which
 * skips what is absent and tells huge pages, else entry by entry.
 */
#ifndef PM_PRESENT_H
#define PM_PRESENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kind.h"

/* A range of addresses of one mapping. */
struct pm_segment {
	uint64_t start;
	uint64_t end;
	uint32_t kind; /* enum pm_kind */
	uint32_t span; /* base pages that each of its pages has: 1, or more for hugetlb */
};

/* A page in memory. */
struct pm_page {
	uint64_t address;
	uint32_t span; /* base pages */
	uint32_t kind; /* enum pm_kind */
	bool thp;      /* a transparent huge page */
	/* Filled in by the mover: where it is, and what becomes of it. */
	int32_t node;
	int32_t outcome;
};

/* Where a walk over segments goes on: an address in a segment, or 0 for its start. */
struct pm_cursor {
	uint64_t address;
	uint32_t segment;
};

/* A process's memory. The file stays with it: after exec or exit it answers no more. */
struct pm_memory {
	int pagemap;        /* /proc/PID/pagemap */
	uint64_t page_size; /* of a base page */
	uint64_t huge_size; /* of a transparent huge page, hpage_pmd_size in sysfs; 0: none */
};

/*
 * Collects present pages from @cursor on, which moves; stops before more than @limit base pages (but
 * collects one page at the least), or when the segments end. Returns the pages collected, or -errno.
 */
long pm_collect(const struct pm_memory *memory, const struct pm_segment *segments, size_t count,
		size_t limit, struct pm_cursor *cursor, struct pm_page *ret_pages);

/* The first present page from @start on, or @end if there is none before; @start if none can tell. */
uint64_t pm_first_present(const struct pm_memory *memory, uint64_t start, uint64_t end);

/* Whether the ioctl serves; entries alone do not tell the page of zeros from others. */
bool pm_can_scan(const struct pm_memory *memory);

/* An entry of pagemap: Documentation/admin-guide/mm/pagemap.rst */
#define PM_ENTRY_FRAME     ((UINT64_C(1) << 55) - 1) /* 0 where the caller may not know it */
#define PM_ENTRY_EXCLUSIVE (UINT64_C(1) << 56)       /* nobody else maps the page */
#define PM_ENTRY_FILE      (UINT64_C(1) << 61)       /* of a file, or shared memory */
#define PM_ENTRY_SWAPPED   (UINT64_C(1) << 62)
#define PM_ENTRY_PRESENT   (UINT64_C(1) << 63)

/* Reads the entries from @start on, @count at the most. Returns how many, or -errno. */
ssize_t pm_read_entries(const struct pm_memory *memory, uint64_t start, size_t count,
			uint64_t *ret_entries);

/*
 * Counts present base pages that no other process maps: all of them, or without those of files, which
 * shared memory is too. What cannot be read counts as none.
 */
uint64_t pm_count_exclusive(const struct pm_memory *memory, uint64_t start, uint64_t end,
			    bool of_files);

/* Whether there is a page at an address. */
bool pm_is_present(const struct pm_memory *memory, uint64_t address);

/* Whether the process has ended, or has replaced its memory by exec. */
bool pm_memory_gone(const struct pm_memory *memory);

#endif
