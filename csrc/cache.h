/*
 * cache.h - whether pages that no page table holds any more are still in memory.
 *
 * Reclaim takes a page out of the page tables first, then writes it, and frees it only if nothing else
 * holds it. One that is dirty, being written, in use by a driver, or without room in swap stays in
 * the page cache or in the swap cache, and comes back from there to the node that it never left.
 */
#ifndef PM_CACHE_H
#define PM_CACHE_H

#include "present.h"

/* A mapping of a file, which shared memory is too: from a line of /proc/PID/maps. */
struct pm_area {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* of its start in the file */
};

/* By what the caller may look; a file is -1 where he may not have it. */
struct pm_caches {
	int kpageflags; /* /proc/kpageflags; pagemap tells frames to those with CAP_SYS_ADMIN */
	int map_files;  /* /proc/PID/map_files: CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE */
	bool own;       /* of the calling process: mincore(2) looks at it in place */
	const struct pm_area *areas; /* ascending */
	size_t count;
};

/* What is seen of a page that is in no page table. */
enum pm_sight {
	PM_SEEN_NOTHING, /* the caller may not look */
	PM_SEEN_OUT,     /* it is out of memory */
	PM_SEEN_HELD,    /* it is in memory, and something holds it there */
	PM_SEEN_WRITTEN, /* it is in memory, and just being written */
};

/*
 * Looks at private pages, by the entries of pagemap that they had: whether their frames are in the
 * swap cache.
 */
void pm_look_at_frames(const struct pm_caches *caches, const uint64_t *entries, size_t count,
		       uint8_t *ret_sights);

/* Looks at neighbouring pages of files and of shared memory, or at any of the calling process. */
void pm_look_at_cache(const struct pm_caches *caches, const struct pm_memory *memory,
		      uint64_t address, size_t count, uint8_t *ret_sights);

#endif
