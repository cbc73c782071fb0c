/*
 * frames.h - on which node pages are, by the numbers of their page frames.
 *
 * Pagemap tells frame numbers to whoever has CAP_SYS_ADMIN, many in one read; to be asked for the node
 * of a page, move_pages(2) takes five times as long. Each frame in the span of the zones of one node
 * alone is on that node. The page of zeros has a frame too, but is on no node: pages have to be
 * collected by scanning, which leaves it out. The huge one it does not on every kernel, so whoever
 * asks for transparent huge pages has to ask move_pages(2) as well.
 */
#ifndef PM_FRAMES_H
#define PM_FRAMES_H

#include "step.h"

/*
 * The nodes of pages, which ascend, or -ENOENT for those that are not there any more. False where that
 * cannot be told of all of them, or would take longer than to ask; then @ret_nodes is undefined.
 */
bool pm_nodes_by_frame(const struct pm_subject *subject, const struct pm_page *pages, size_t count,
		       int *ret_nodes);

#endif
