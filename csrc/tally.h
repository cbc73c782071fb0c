/*
 * tally.h - what became of each page, and the marks by which it is known again.
 */
#ifndef PM_TALLY_H
#define PM_TALLY_H

#include <stdbool.h>

#include "present.h"

/* What became of a page. All but PM_ASKED add up to PM_ASKED. */
enum pm_column {
	PM_ASKED,
	PM_MOVED,    /* left its node: for its target, or out of memory */
	PM_VANISHED, /* freed, swapped out, or moved elsewhere by somebody else */
	/* Left behind, by reason: */
	PM_SHARED_PAGE,   /* other processes map it, and only the own pages may be touched */
	PM_BUSY,          /* pinned, or in use in a way that keeps it */
	PM_NO_MEMORY,     /* the target is full */
	PM_NOT_ALLOWED,   /* the target is outside the cpuset of the process */
	PM_HIDDEN,        /* in memory, but move_pages(2) does not see it (balancing before 6.6) */
	PM_UNMOVABLE,     /* refused for another reason */
	PM_LOCKED,        /* mlock(2) keeps it in memory */
	PM_HUGETLB_PAGE,  /* a huge page of a pool is never swapped */
	PM_NO_SWAP_SPACE, /* there is no room in swap, or none is to be used */
	PM_WRITEBACK,     /* of a file, and not on disk yet */
	/* Left behind likewise, but in no page table any more: */
	PM_OUT_BUSY,      /* something holds it in memory */
	PM_OUT_WRITEBACK, /* it is not written yet, to its file or to swap */
	PM_OUT_NO_SWAP,   /* there is no room in swap to write it to */
	PM_UNSEEN,        /* whether it is in memory the caller may not see */
	PM_COLUMNS,
};

/* Rows of a tally: one for each source, by rank. MAX_NUMNODES is 1,024 at most. */
#define PM_RANKS_MAX 1024

/*
 * A mark for each base page, zero at first. It remembers pages that are owed (left behind, to be
 * tried again) with the row and column in which they are counted, and, where a target is also a
 * source, pages that have moved already.
 */
typedef uint16_t pm_mark;

/* The marks of a stretch of memory, and where its pages are counted. */
struct pm_tally {
	pm_mark *marks;
	int64_t *counts; /* [rank][enum pm_kind][enum pm_column], in base pages */
	bool once;       /* remember what has moved: it must not move twice */
};

#define PM_NO_MARK   0
#define PM_MARK_DONE 15 /* in the lowest four bits: a page that is done with */

static inline bool pm_is_done(pm_mark mark)
{
	return (mark & 15) == PM_MARK_DONE;
}

static inline bool pm_is_owed(pm_mark mark)
{
	return mark != PM_NO_MARK && !pm_is_done(mark);
}

/* Whether an owed page was in no page table when it was last seen. */
bool pm_is_out(pm_mark mark);

/* Whether it was so, and in memory for certain. */
bool pm_is_held(pm_mark mark);

/* The row of an owed page. */
static inline uint32_t pm_owed_rank(pm_mark mark)
{
	return mark >> 6;
}

/*
 * Counts one base page in @column, which is not PM_ASKED. A page that is owed already keeps its own
 * row and kind; any other is new, and counts as asked for.
 */
void pm_count(const struct pm_tally *tally, uint32_t slot, uint32_t rank, uint32_t kind,
	      enum pm_column column);

/* The same for so many base pages, from @slot on. */
void pm_count_run(const struct pm_tally *tally, uint32_t slot, uint32_t length, uint32_t rank,
		  uint32_t kind, enum pm_column column);

/*
 * Counts as vanished what is owed in the slots @from up to @to, which are in no page table. Pages that
 * were in none before stay as they were last seen.
 */
void pm_count_vanished(const struct pm_tally *tally, uint32_t from, uint32_t to);

#endif
