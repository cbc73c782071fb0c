/*
 * nodelist.h - node list text to bitmap and back.
 *
 * The grammar is the kernel's (bitmap_parselist in lib/bitmap-str.c) with the prefixes of libnuma
 * (numactl(8)):
 *
 *   list    := ['!'] ['+'] region { separator region }
 *   region  := node | ('all' | node '-' node) [':' used '/' group]
 *   separator := ',' or white space, or both
 *
 * 'all' means the allowed nodes, '+' counts nodes by their rank among them (so that 'all' is all the
 * ranks), and '!' takes the list away from them. 'a-b:used/group' keeps the first `used` nodes of each
 * run of `group`.
 * White space around the list is skipped, as sysfs ends its files with a newline.
 */
#ifndef PM_NODELIST_H
#define PM_NODELIST_H

#include "nodemask.h"

/* What is wrong with a list; negated as a result of pm_nodelist_parse(). */
enum pm_nodelist_error {
	PM_LIST_EMPTY = 1,     /* nothing but white space */
	PM_LIST_NO_NUMBER,     /* something else where a node number has to stand */
	PM_LIST_TRAILING,      /* something after a complete region that is no separator */
	PM_LIST_TOO_LARGE,     /* a node number of PM_NODES_MAX or more */
	PM_LIST_REVERSED,      /* the end of a range lies before its start */
	PM_LIST_GROUP,         /* used is 0, or larger than group, or group is malformed */
	PM_LIST_RANK,          /* '+': there are not so many allowed nodes */
	PM_LIST_NEEDS_ALLOWED, /* the list is relative, and no allowed nodes were given */
};

/*
 * Parses @len characters of @text. @allowed (of @allowed_size bytes) gives a meaning to 'all', '+'
 * and '!'; NULL if the caller would rather be told that it is needed.
 * @ret_bitmap must have PM_BITMAP_MAX bytes. @ret_where is where in the text an error lies.
 * Returns the bytes of the bitmap that are in use (0 for an empty result), or a negated
 * pm_nodelist_error, on which the content of @ret_bitmap is undefined.
 */
int pm_nodelist_parse(const char *text, size_t len, const uint8_t *allowed, size_t allowed_size,
		      uint8_t *ret_bitmap, size_t *ret_where);

/* Longer texts are not small, whatever they say. */
#define PM_LIST_SMALL_MAX 256

/*
 * The same for absolute lists of nodes 0..62, which is nearly all there are: returns the nodes as
 * bits of a non-negative number, or -1 if that cannot be (for whatever reason: ask the function
 * above). Needs no buffer.
 */
int64_t pm_nodelist_parse_small(const char *text, size_t len);

/* Characters that the list for a bitmap of @size bytes takes at most: "0,2,4," and so on. */
size_t pm_nodelist_length_max(size_t size);

/* Writes the list, without a final NUL, and returns its length. */
size_t pm_nodelist_format(const uint8_t *bitmap, size_t size, char *ret_text);

#endif
