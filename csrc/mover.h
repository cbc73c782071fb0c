/*
 * mover.h - moves a stretch of a process's memory and accounts for each of its pages.
 *
 * One call: which pages are there, on which node, where each has to go, move_pages(2), and then a
 * second look at whatever the kernel did not say has arrived. Every base page that was asked to move
 * ends in exactly one column of the tally, so the sums close at any time, also after an error.
 */
#ifndef PM_MOVER_H
#define PM_MOVER_H

#include "tally.h"

/* Where the pages of a node go. */
struct pm_route {
	int32_t target; /* -1: they stay */
	uint32_t rank;  /* row of the tally */
};

struct pm_mover {
	struct pm_memory memory;
	int pid;
	int flags;                     /* MPOL_MF_MOVE or MPOL_MF_MOVE_ALL */
	bool hides;                    /* pm_hides_pages() */
	uint32_t nodes;                /* length of routes */
	const struct pm_route *routes; /* by node */
	const int32_t *targets;        /* by rank */
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
	uint64_t looked_at;      /* out: base pages found in memory */
	uint64_t hidden;         /* out: of these, pages that move_pages(2) does not see */
};

/*
 * Whether move_pages(2) of this kernel says that pages are absent which are merely not accessible, as
 * Linux 6.1 to 6.5 do. NUMA balancing takes the access from pages, to see who uses them.
 */
bool pm_hides_pages(void);

/*
 * Takes one step. Returns 0, or -errno: -ESRCH if the process has ended or replaced its memory (the
 * pages of this step then count as vanished), -EPERM and -ENOSYS if it may not be moved (any
 * longer), -ENOMEM if there is no memory for the step itself.
 */
int pm_move_step(const struct pm_mover *mover, struct pm_step *step);

#endif
