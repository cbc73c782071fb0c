/*
 * kind.h - the kinds of memory that pages are counted by.
 */
#ifndef PM_KIND_H
#define PM_KIND_H

/* What a mapping is made of. Private copies of a file's pages belong to the mapping of the file. */
enum pm_kind {
	PM_ANONYMOUS, /* no file: heap, stack, private anonymous memory */
	PM_FILE,      /* a file on a disk or on the network */
	PM_SHARED,    /* shared memory: shmem in all its forms */
	PM_HUGETLB,   /* huge pages of a pool, whatever maps them */
	PM_KINDS,
};

#endif
