/*
 * nodemask.h - sets of nodes, and how the kernel wants them.
 *
 * Terms, the same in every file here:
 *   bitmap    bytes; node n is bit n%8 of byte n/8. The same on every machine, and what Python's
 *             int.to_bytes(size, "little") writes.
 *   words     unsigned long[]; node n is bit n%BITS of word n/BITS. What the kernel reads: it differs
 *             from the bitmap on big-endian machines, and its word is 4 bytes for a 32-bit process.
 *   maxnode   the argument of the system calls, see pm_maxnode(). Not the highest node.
 *   node list text, "0-3,8" (nodelist.h).
 */
#ifndef PM_NODEMASK_H
#define PM_NODEMASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * get_nodes() in mm/mempolicy.c refuses masks of more than PAGE_SIZE * 8 bits, which is 32,768 where
 * pages are smallest. Kernels are built for 1,024 nodes at most (CONFIG_NODES_SHIFT <= 10).
 */
#define PM_NODES_MAX  32768
#define PM_BITMAP_MAX (PM_NODES_MAX / 8)
#define PM_WORDS_MAX  (PM_BITMAP_MAX / sizeof(unsigned long))

/*
 * Words come in multiples of 8 bytes, also for a 32-bit process: the kernel may round the bits up to
 * its own long, which is 64 bits there too.
 */
#define PM_WORDS_UNIT 8

/* Bytes that the words for a bitmap of @size bytes take. */
size_t pm_words_size(size_t size);

/* The maxnode argument for words of @size bytes. */
unsigned long pm_maxnode(size_t size);

/* Writes pm_words_size(@size) bytes of words, the tail zeroed. */
void pm_words_from_bitmap(const uint8_t *bitmap, size_t size, unsigned long *ret_words);

/* Writes @size bytes of bitmap from words of at least that many bytes. */
void pm_bitmap_from_words(const unsigned long *words, size_t size, uint8_t *ret_bitmap);

#endif
