/*
 * step.h - one call of an action on a stretch of a process's memory.
 */
#ifndef PM_STEP_H
#define PM_STEP_H

#include "tally.h"

/* Where the pages of a node go. */
struct pm_route {
	int32_t target; /* -1: they stay */
	uint32_t rank;  /* row of the tally */
};

/* Page frames that are all on one node. */
struct pm_zone {
	uint64_t start; /* numbers of frames */
	uint64_t end;
	int32_t node;
};

/* Whose memory, and which of its pages have to leave their node. */
struct pm_subject {
	struct pm_memory memory;
	int pid;
	bool hides;                    /* pm_hides_pages() */
	uint32_t nodes;                /* length of routes */
	const struct pm_route *routes; /* by node */
	const struct pm_zone *zones;   /* see frames.h; there may be none */
	size_t zone_count;
};

/* What is asked of one call, and how far it came. */
struct pm_step {
	uint64_t start; /* the stretch: as many marks as it has base pages */
	uint64_t end;
	const struct pm_segment *segments; /* ascending, within the stretch */
	size_t count;
	struct pm_tally tally;
	size_t limit;            /* base pages to take on in one call */
	struct pm_cursor cursor; /* zero at first; at the end, cursor.segment is count */
	uint64_t looked_at;      /* zero before the call; then, base pages found in memory */
	uint64_t hidden;         /* likewise: of these, pages that move_pages(2) does not see */
};

/*
 * Whether move_pages(2) of this kernel says that pages are absent which are merely not accessible, as
 * Linux 6.1 to 6.5 do. NUMA balancing takes the access from pages, to see who uses them.
 */
bool pm_hides_pages(void);

#endif
