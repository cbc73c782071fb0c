/*
 * numa_maps.h - the grammar of /proc/PID/numa_maps.
 *
 * One line for each VMA (show_numa_map() in fs/proc/task_mmu.c):
 *
 *   line  := address ' ' policy { ' ' field } newline
 *   field := 'file=' path | 'heap' | 'stack' | 'huge' | key '=' count | 'N' node '=' count
 *   key   := 'anon' | 'dirty' | 'mapped' | 'mapmax' | 'swapcache' | 'active' | 'writeback' |
 *            'kernelpagesize_kB'
 *
 * The address is hexadecimal, counts and nodes are decimal. The policy (mpol_to_str() in
 * mm/mempolicy.c) can hold spaces, and is cut at 63 characters: it ends where the first field
 * begins. In the path, newline, tab, space and '=' stand as octal escapes; a backslash stands for
 * itself. A VMA without pages has no counts and no kernelpagesize_kB. Fields that are not known are
 * skipped, so that a newer kernel may add some.
 */
#ifndef PM_NUMA_MAPS_H
#define PM_NUMA_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MAX_NUMNODES is 1024 at most (CONFIG_NODES_SHIFT <= 10). */
#define PM_NUMA_MAPS_NODES 1024

/*
 * One line. Texts are offset and length in it. Counts are in the VMA's own pages: huge pages where
 * `huge` is set, base pages elsewhere, also for transparent huge pages.
 */
struct pm_numa_line {
	uint64_t start;
	size_t policy, policy_length;
	size_t path, path_length; /* as it is written; both 0 where no file is mapped */
	bool heap, stack, huge;
	uint64_t page_size; /* in bytes; 0 where no page is counted */
	uint64_t total;     /* pages on all nodes ('mapped', which is not always written) */
	uint64_t anon;      /* pages without a file: private copies too */
	uint64_t dirty;
	uint64_t mapmax; /* processes that map the most shared page; 0 or 1 are not written */
	uint64_t swapcache;
	uint64_t active; /* not written where it is all of them, and never for huge pages */
	uint64_t writeback;
	unsigned int nodes; /* entries of the arrays that are in use */
	unsigned int node[PM_NUMA_MAPS_NODES];
	uint64_t pages[PM_NUMA_MAPS_NODES];
};

/*
 * Parses a line of @length characters, without its newline. Returns 0, or -EBADMSG if it is not of
 * that grammar, on which the content of @ret_line is undefined.
 */
int pm_numa_line_parse(const char *text, size_t length, struct pm_numa_line *ret_line);

#endif
