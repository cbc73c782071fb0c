/*
 * residency.h - on which nodes the pages of a process are: numa_maps, summed up.
 */
#ifndef PM_RESIDENCY_H
#define PM_RESIDENCY_H

#include "mapping.h"

/* Base pages of each kind on each node, and the VMAs that were read. */
struct pm_residency {
	uint64_t pages[PM_KINDS][PM_NUMA_MAPS_NODES];
	unsigned int nodes; /* from this one on, no node has any */
	uint64_t vmas;
};

/*
 * Sums up the rest of the numa_maps that is open as @fd, block by block: memory is bounded by the
 * longest line. @base_page is the size of a base page in bytes; @mounts is as in mapping.h.
 * Returns 0, -EBADMSG if a line is malformed (`vmas` lines before it were not), or -errno as from
 * read(2) and malloc(3). What was summed up until then stands in @ret_sums in any case.
 */
int pm_residency_read(int fd, uint64_t base_page, const char *mounts, size_t mounts_size,
		      struct pm_residency *ret_sums);

/* Base pages that @pages of a line are. */
uint64_t pm_base_pages(const struct pm_numa_line *line, uint64_t pages, uint64_t base_page);

#endif
