/*
 * evictor.h - puts a stretch of a process's memory out of its nodes, and accounts for each page.
 *
 * One call: which pages are there, on which node, process_madvise(2) for those that have to leave,
 * and then a look at every one of them, as the success of that call proves nothing: neither that a page
 * has left the page table, nor, where it has, that it has left memory. Pages that are used again come
 * back where the process then runs.
 */
#ifndef PM_EVICTOR_H
#define PM_EVICTOR_H

#include "cache.h"
#include "step.h"

struct pm_evictor {
	struct pm_subject subject; /* the target of a route does not matter, if only it is none */
	int pidfd;                 /* -1: the calling process itself, which needs no privilege */
	struct pm_caches caches;   /* how to see what is in memory, and in no page table */
	bool without_swap;         /* leave what needs swap where it is */
	uint64_t swap_room;        /* base pages that the memory cgroup may still swap */
};

/*
 * Takes one step. Returns 0, or -errno: -ESRCH if the process has ended or replaced its memory (the
 * pages of this step then count as vanished), -EPERM, -EACCES and -ENOSYS if the advice may not be
 * given or its effect may not be seen, -ENOMEM if there is no memory for the step itself.
 */
int pm_evict_step(const struct pm_evictor *evictor, struct pm_step *step);

#endif
