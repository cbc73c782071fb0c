/*
 * mover.h - moves a stretch of a process's memory and accounts for each of its pages.
 *
 * One call: which pages are there, on which node, where each has to go, move_pages(2), and then a
 * second look at whatever the kernel did not say has arrived. Every base page that was asked to move
 * ends in exactly one column of the tally, so the sums close at any time, also after an error.
 */
#ifndef PM_MOVER_H
#define PM_MOVER_H

#include "step.h"

struct pm_mover {
	struct pm_subject subject;
	int pidfd;              /* tells when the process has ended; negative if there is none */
	int flags;              /* MPOL_MF_MOVE or MPOL_MF_MOVE_ALL */
	const int32_t *targets; /* by rank */
};

/*
 * Takes one step. Returns 0, or -errno: -ESRCH if the process has ended or replaced its memory (the
 * pages of this step then count as vanished), -EPERM, -EACCES and -ENOSYS if it may not be moved or
 * looked at (any longer), -ENOMEM if there is no memory for the step itself.
 */
int pm_move_step(const struct pm_mover *mover, struct pm_step *step);

#endif
