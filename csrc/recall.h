/*
 * recall.h - a second try for pages that have left the page tables, and not memory.
 */
#ifndef PM_RECALL_H
#define PM_RECALL_H

#include "step.h"

/*
 * Brings the pages of a stretch that were seen to be left so back into the page table, by reading from
 * each: only there the next step finds them, written meanwhile, and they leave at once. @mem is
 * /proc/PID/mem.
 */
void pm_recall(int mem, const struct pm_step *step, uint64_t page_size);

/*
 * Empties the caches in which each CPU keeps pages before they get on the lists of reclaim. Pages that
 * wait there are taken for pages in use; process_madvise(2) empties those of its own CPU alone.
 */
void pm_drain(void);

#endif
