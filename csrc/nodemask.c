#include "nodemask.h"

#include <string.h>

size_t pm_words_size(size_t size)
{
	return (size + PM_WORDS_UNIT - 1) / PM_WORDS_UNIT * PM_WORDS_UNIT;
}

unsigned long pm_maxnode(size_t size)
{
	/* get_nodes() decrements maxnode before it counts bits: the last bit needs one more. */
	return (unsigned long)size * 8 + 1;
}

void pm_words_from_bitmap(const uint8_t *bitmap, size_t size, unsigned long *ret_words)
{
	/* Stray bits after the last node make the kernel answer EINVAL. */
	memset(ret_words, 0, pm_words_size(size));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(ret_words, bitmap, size);
#else
	for (size_t i = 0; i < size; i++)
		ret_words[i / sizeof(long)] |= (unsigned long)bitmap[i] << (i % sizeof(long) * 8);
#endif
}

void pm_bitmap_from_words(const unsigned long *words, size_t size, uint8_t *ret_bitmap)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(ret_bitmap, words, size);
#else
	for (size_t i = 0; i < size; i++)
		ret_bitmap[i] = (uint8_t)(words[i / sizeof(long)] >> (i % sizeof(long) * 8));
#endif
}
